#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "common/base/result.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/net/signal.hpp"

namespace routerd {

/// What a Ticket and its gate share. Owned by the Ticket; the gate forgets it when the ticket is
/// settled or gone, and adds what it wants to know of it.
struct Ticket::State {
    /// `executor` must outlive it.
    State(Gate& of, std::uint64_t number, const asio::any_io_executor& executor)
        : gate(of), id(number), home(executor) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    virtual ~State() = default;

    /// Wakes who waits; it may be gone afterwards.
    void settle(Result<Granted> with) {
        outcome = std::move(with);
        if (settled) {
            settled->notify();
        }
        if (const auto callback = std::exchange(on_settled, nullptr)) {
            callback();
        }
    }

    Gate& gate;
    std::uint64_t id;
    const asio::any_io_executor& home;
    std::optional<Signal> settled;  ///< made for who waits: most are settled as they come
    std::function<void()> on_settled;
    std::optional<Result<Granted>> outcome;
    bool taken = false;
};

}  // namespace routerd
