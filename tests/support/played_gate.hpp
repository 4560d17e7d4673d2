#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/gate/gate.hpp"
#include "daemon/gate/ticket_state.hpp"

namespace routerd::test {

/// The core's gate, played: grants model "ready" at once, refuses "full", lets all others wait
/// until settle().
class PlayedGate final : public Gate {
  public:
    explicit PlayedGate(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    Ticket request(const Demand& demand) override {
        auto state = std::make_unique<Ticket::State>(*this, ++last, executor_);
        if (demand.model == "ready") {
            state->outcome = granted();
        } else if (demand.model == "full") {
            state->outcome = Error(Errc::queue_full, "no room");
        } else {
            waiting[last] = state.get();
        }
        return Ticket(std::move(state));
    }

    Granted granted() const {
        return {7, std::make_shared<ModelServer>(Endpoint{"/run/7.sock", 0}),
                std::chrono::milliseconds(3), std::chrono::milliseconds(2)};
    }

    /// Grants what waits longest.
    void settle() {
        auto* state = waiting.begin()->second;
        waiting.erase(waiting.begin());
        state->settle(granted());
    }

    asio::awaitable<Admission> admit(std::string key) override {
        if (key == "greedy") {
            co_return Admission{Error(Errc::rate_limited, "too often"), std::nullopt};
        }
        co_return Admission{
            std::nullopt,
            Allowance{.limit = 9, .remaining = 8, .reset = std::chrono::milliseconds(7)}};
    }
    asio::awaitable<std::size_t> least_busy(std::vector<std::string> models) override {
        co_return models.size() - 1;
    }
    void on_closing_instance(std::function<void(std::uint64_t)> callback) override {
        on_closing = std::move(callback);
    }
    void leave(std::uint64_t ticket) override {
        waiting.erase(ticket);
        ++left;
    }
    void release(std::uint64_t /*ticket*/, std::uint64_t instance,
                 const LeaseReport& report) override {
        EXPECT_EQ(instance, 7U);
        released.push_back(report);
    }
    asio::awaitable<Ticket::Progress> progress(std::uint64_t ticket) override {
        co_return Ticket::Progress{Ticket::Phase::loading, static_cast<std::size_t>(ticket), 42};
    }
    asio::awaitable<std::string> end_of(std::uint64_t instance,
                                        std::chrono::milliseconds grace) override {
        co_return std::to_string(instance) + " after " + std::to_string(grace.count());
    }

    std::uint64_t last = 0;
    std::map<std::uint64_t, Ticket::State*> waiting;
    std::vector<LeaseReport> released;
    int left = 0;
    std::function<void(std::uint64_t)> on_closing;

  private:
    asio::any_io_executor executor_;
};

}  // namespace routerd::test
