#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "daemon/gate/gate.hpp"
#include "daemon/gate/ticket_state.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/succession/link.hpp"
#include "daemon/supervisor/legacy.hpp"

namespace routerd {

/// The gate of a process that has left its models to another routerd: asks that one. Core loop
/// only.
class SuccessorGate final : public Gate {
  public:
    explicit SuccessorGate(const asio::any_io_executor& executor) : executor_(executor) {}

    /// What the fleet left; once.
    void take_over(Legacy legacy);

    /// What runs here, as packets: first of all that the successor is told.
    std::vector<nlohmann::json> held() const;

    /// From now on `link` is told; of what waits at once. Until then it is kept.
    void attach(Link& link);

    /// From now on nobody is told again, until the next attach().
    void unattach() noexcept { link_ = nullptr; }

    /// A packet that is for it ("settled", "closing", "result"); false: it is not.
    bool take(const nlohmann::json& packet);

    /// The successor is gone: what waits is refused, and what comes.
    void detach();

    asio::awaitable<Admission> admit(std::string key) override;
    Ticket request(const Demand& demand) override;
    asio::awaitable<std::size_t> least_busy(std::vector<std::string> models) override;
    void on_closing_instance(std::function<void(std::uint64_t)> callback) override;
    void leave(std::uint64_t ticket) override;
    void release(std::uint64_t ticket, std::uint64_t instance, const LeaseReport& report) override;
    asio::awaitable<Ticket::Progress> progress(std::uint64_t ticket) override;
    asio::awaitable<std::string> end_of(std::uint64_t instance,
                                        std::chrono::milliseconds grace) override;

  private:
    struct Waiting {
        Demand demand;
        Ticket::State* state;
    };
    struct Call {
        explicit Call(const asio::any_io_executor& executor) : done(executor) {}
        nlohmann::json question;
        std::optional<nlohmann::json> answer;
        Signal done;
    };

    void ask(std::uint64_t ticket, const Demand& demand);
    void settle(const nlohmann::json& packet);
    /// null: nobody answers any more.
    asio::awaitable<nlohmann::json> call(nlohmann::json question);

    asio::any_io_executor executor_;
    Link* link_ = nullptr;
    bool lost_ = false;
    std::uint64_t next_ticket_ = 1;
    std::uint64_t next_call_ = 1;
    std::map<std::uint64_t, Waiting> waiting_;
    std::map<std::uint64_t, Legacy::Held> held_;
    std::vector<std::string> loads_;
    std::vector<std::string> unloads_;
    std::map<std::uint64_t, Call*> calls_;
    std::vector<std::function<void(std::uint64_t)>> on_closing_;
};

}  // namespace routerd
