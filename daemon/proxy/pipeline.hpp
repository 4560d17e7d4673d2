#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/net/turn_time.hpp"
#include "daemon/proxy/account.hpp"
#include "daemon/proxy/forward.hpp"
#include "daemon/proxy/peek.hpp"
#include "daemon/proxy/proxy.hpp"
#include "daemon/proxy/resolve.hpp"
#include "daemon/proxy/transfer.hpp"

namespace routerd {

/// What kind of endpoint a request came to.
struct EndpointKind {
    bool needs_slot = true;       ///< runs the model
    bool model_in_query = false;  ///< GET /props?model=
    bool raw = false;             ///< /upstream/{model}/{path...}
    bool has_events = true;       ///< what it streams are server-sent events
};

/// One inference request on its way: the only place that knows the order of the steps.
/// resolve → admit → (wait) → forward → relay; Account writes down what came of it.
class Pipeline final : private Transfer::Pilot {
  public:
    Pipeline(Proxy& proxy, Exchange& exchange, EndpointKind kind)
        : proxy_(proxy),
          exchange_(exchange),
          kind_(kind),
          account_(proxy.services_.account, turn_now()) {
        account_.record.request_id = exchange.id();
        account_.record.endpoint = exchange.path();
        account_.record.route = exchange.route();
    }

    /// Does it all; the pipeline ends with it.
    static asio::awaitable<void> run(std::unique_ptr<Pipeline> pipeline);

  private:
    // Coroutines here give a bool and leave what went wrong in failure_: an Error in their frames
    // would make each of them too large for Asio to keep its memory.
    bool fail(Error error);

    // What is asked (pipeline_request.cpp)
    bool find_model();
    bool peek_body();
    std::optional<std::string_view> form_boundary() const;
    bool is_counted() const { return proxy_.counts_requests_ && !exchange_.is_control(); }
    bool must_ask_gate_first() const { return is_counted() || !meant_.model; }
    asio::awaitable<bool> ask_gate_first();
    asio::awaitable<bool> count_request();
    void add_allowance(const std::optional<Allowance>& allowance, const std::string& what);
    Result<void> leave_what_is_allowed();
    asio::awaitable<void> choose_in_tier();
    bool prepare();
    Result<std::string_view> prepare_body(const Model& model);
    Result<void> make_demand(const Model& model);
    Outgoing make_outgoing(std::string_view body) const;

    // A slot, and the server behind it
    asio::awaitable<void> wait_for(Ticket& ticket);
    asio::awaitable<void> tell_how_it_goes(const Ticket& ticket);
    asio::awaitable<void> comment(const Ticket::Progress& progress);
    bool speaks_events() const noexcept;
    bool take_lease(TimePoint asked);
    bool ask_at_once();
    asio::awaitable<bool> ask_patiently();
    void connect_at_once();
    asio::awaitable<bool> connect();
    void send();
    bool may_send_again() const;
    bool conclude(bool was_asked);
    asio::awaitable<bool> is_for_a_new_server(bool may_be);
    std::uint64_t tokens_used(const TailTap::Figures& figures) const;
    asio::awaitable<void> blame_server();
    void note_status();

    // What the client gets (pipeline_answer.cpp)
    Transfer::Way on_answer(const http::ResponseHead& head, std::string& to_client) override;
    void on_request_done() override;
    void add_server_headers(const http::ResponseHead& head);
    void describe();
    asio::awaitable<bool> answer_error();
    asio::awaitable<void> end_with_error();

    Proxy& proxy_;
    Exchange& exchange_;
    EndpointKind kind_;
    Account account_;
    Peeked peeked_;
    Meant meant_;
    std::string rewritten_;  // the body, where a rule changed it
    std::string_view body_;  // as it is sent
    std::string head_;       // the same
    Demand demand_;
    std::optional<Ticket> ticket_;
    std::optional<Lease> lease_;
    std::unique_ptr<Upstream> upstream_;
    std::unique_ptr<Transfer> transfer_;
    std::unique_ptr<Error> failure_;  // few have one, and each parked stream has a Pipeline
    bool is_form_ = false;            // the body is a form, else JSON
    unsigned retry_after_ = 0;        // seconds, of an answer that is said anew; 0: it says none
    bool waited_aloud_ = false;       // comments were sent: status and head are out
    bool dropped_ = false;       // somebody took it out of the queue; the client is still there
    bool says_it_anew_ = false;  // the server's answer is an error in another dialect
    bool described_ = false;     // describe() has added its headers
};

}  // namespace routerd
