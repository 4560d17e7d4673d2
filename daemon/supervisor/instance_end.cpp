// The part of Instance around the end of its process.
#include <algorithm>
#include <csignal>
#include <utility>

#include <unistd.h>

#include "common/base/log.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/supervisor/instance.hpp"

namespace routerd {

asio::awaitable<void> Instance::watch() {
    const auto status = co_await child_->wait();
    if (status) {
        exit_ = *status;
        probe_.cancel();
        wake_.notify();
    }
}

asio::awaitable<void> Instance::wait_for_end(TimePoint deadline) {
    while (!exit_ && !in_hurry_ && steady_now() < deadline) {
        co_await wake_.wait_until(deadline);
    }
}

asio::awaitable<void> Instance::end_process() {
    if (!child_ || exit_) {
        co_return;
    }
    state_ = InstanceState::stopping;
    tools_.observer.on_closing(*this);
    if (failure_.empty()) {
        // llama-server waits for requests in flight at the first TERM and ends at the second.
        const auto now = steady_now();
        constexpr Duration patience = std::chrono::seconds(1);
        child_->signal(SIGTERM);
        co_await wait_for_end(now + std::min(patience, plan_.stop_timeout / 2));
        if (!exit_) {
            child_->signal(SIGTERM);
            co_await wait_for_end(now + plan_.stop_timeout);
        }
    }
    if (!exit_) {
        child_->signal(SIGKILL);
    }
    while (!exit_) {
        constexpr auto too_long = std::chrono::seconds(10);
        const bool woken = co_await wake_.wait_until(steady_now() + too_long);
        if (!woken) {
            spdlog::warn("process {} of '{}' does not end after SIGKILL (a driver holds it?)",
                         child_->pid(), plan_.model);
        }
    }
}

asio::awaitable<void> Instance::explain_end() {
    if (log_ != nullptr) {
        co_await log_->catch_up();
    }
    if (!failure_.empty()) {
        end_ = failure_;
    } else if (stop_wanted_) {
        end_ = "stopped";
    } else if (exit_) {
        const auto errors = errors_.lines();
        end_ = "the server ended: " +
               plan_.backend->explain_exit(*exit_, errors.empty() ? recent_.lines() : errors);
    }
}

asio::awaitable<void> Instance::clean_up() {
    if (!endpoint_.unix_path.empty()) {
        ::unlink(endpoint_.unix_path.c_str());
    }
    if (child_) {
        auto sweep = [entry = "ROUTERD_INSTANCE=" + mark()] {
            return kill_processes(processes_with_environment(entry));
        };
        const auto left = co_await run_on(tools_.pool, std::move(sweep));
        if (left > 0) {
            spdlog::warn("the server of '{}' left {} processes behind, killed", plan_.model, left);
        }
    }
    if (plan_.remote) {
        co_return;  // no row
    }
    const auto removed = co_await tools_.rows.remove(static_cast<std::int64_t>(plan_.id));
    if (!removed) {
        spdlog::warn("forget server {} of '{}': {}", plan_.id, plan_.model,
                     removed.error().message());
    }
}

}  // namespace routerd
