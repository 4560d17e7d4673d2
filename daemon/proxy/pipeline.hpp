#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/proxy/account.hpp"
#include "daemon/proxy/forward.hpp"
#include "daemon/proxy/peek.hpp"
#include "daemon/proxy/proxy.hpp"
#include "daemon/proxy/transfer.hpp"
#include "daemon/supervisor/gate.hpp"

namespace routerd {

/// What kind of endpoint a request came to.
struct EndpointKind {
    bool needs_slot = true;       ///< runs the model
    bool model_in_query = false;  ///< GET /props?model=
    bool raw = false;             ///< /upstream/{model}/{path...}
};

/// One inference request on its way: the only place that knows the order of the steps.
/// resolve → admit → (wait) → forward → relay; Account writes down what came of it.
class Pipeline final : private Transfer::Pilot {
  public:
    Pipeline(Proxy& proxy, Exchange& exchange, EndpointKind kind)
        : proxy_(proxy), exchange_(exchange), kind_(kind), account_(proxy.sink_) {}

    asio::awaitable<void> run();

  private:
    asio::awaitable<Result<void>> steps();
    Result<std::shared_ptr<const Model>> resolve_model();
    Result<std::string_view> prepare_body(const Model& model);
    Result<Demand> make_demand(const Model& model) const;
    asio::awaitable<void> wait_for(Ticket& ticket);
    asio::awaitable<void> comment(const Ticket::Progress& progress);
    Outgoing make_outgoing(std::string_view body) const;
    asio::awaitable<Result<void>> converse(Lease& lease, const Outgoing& outgoing);
    asio::awaitable<Result<std::unique_ptr<Upstream>>> connection_to(const Lease& lease);
    asio::awaitable<Result<void>> conclude(Transfer& transfer, Result<void> outcome, Lease& lease);
    Transfer::Way on_answer(const http::ResponseHead& head, std::string& to_client) override;
    void add_server_headers(const http::ResponseHead& head);
    asio::awaitable<Result<void>> answer_error(unsigned status, const std::string& body);
    void note_figures(const Transfer& transfer, const Lease& lease);
    asio::awaitable<void> end_with_error(const Error& error, bool at_boundary);
    asio::awaitable<bool> has_ended(Lease& lease);
    void describe(const Lease& lease);
    asio::awaitable<Error> broken_off(Error error, Lease& lease);
    bool speaks_events() const noexcept;

    Proxy& proxy_;
    Exchange& exchange_;
    EndpointKind kind_;
    Account account_;
    Peeked peeked_;
    std::string rewritten_;         // the body, where a rule changed it
    bool waited_aloud_ = false;     // comments were sent: status and head are out
    bool dropped_ = false;          // somebody took it out of the queue; the client is still there
    bool says_it_anew_ = false;     // the server's answer is an error in another dialect
    bool described_ = false;        // describe() has added its headers
    const Lease* lease_ = nullptr;  // while its server is asked
    bool at_boundary_ = true;       // an error event may be put into the stream
};

}  // namespace routerd
