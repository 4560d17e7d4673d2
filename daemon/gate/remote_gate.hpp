#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/gate/gate_desk.hpp"

namespace routerd {

/// The gate of a loop that is not the core's: asks a GateDesk over there by messages. Used on its
/// own loop's thread.
class RemoteGate final : public Gate {
  public:
    /// `desk` outlives it; only what any thread may use of it is used here.
    RemoteGate(const asio::any_io_executor& executor, GateDesk& desk);

    /// For GateDesk::answer_to(). Any thread.
    Mailbox<gate::FromDesk>::Address address() const { return inbox_.address(); }

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
    void take(gate::FromDesk&& message);

    asio::any_io_executor executor_;
    GateDesk& desk_;
    Mailbox<gate::ToDesk>::Address to_desk_;
    std::uint64_t next_ = 1;
    std::unordered_map<std::uint64_t, Ticket::State*> waiting_;
    std::vector<std::function<void(std::uint64_t)>> on_closing_;
    Mailbox<gate::FromDesk> inbox_;
};

}  // namespace routerd
