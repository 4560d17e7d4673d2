// The part of Instance between the start of its process and the first healthy answer.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/units.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/process/listening.hpp"
#include "daemon/supervisor/instance.hpp"

namespace routerd {
namespace {

constexpr TimePoint::duration shortest_pause = std::chrono::milliseconds(2);
constexpr TimePoint::duration longest_pause = std::chrono::milliseconds(20);

/// Asked often while that can matter: a server that is ready after 80 ms is seen within 5, one
/// that takes a minute within 20.
TimePoint::duration pause_after(TimePoint::duration elapsed) {
    return std::clamp(elapsed / 16, shortest_pause, longest_pause);
}

}  // namespace

/// Whether it answers is seen by those who ask it something.
asio::awaitable<Instance::Outcome> Instance::reach() {
    auto work = [make = plan_.remote] { return make(); };
    auto server = co_await run_on(tools_.pool, std::move(work));
    if (!server) {
        const auto hint = server.error().hint();
        failure_ = server.error().message() + (hint.empty() ? "" : " (" + hint + ")");
        co_return Outcome::failed;
    }
    endpoint_ = {};
    endpoint_.remote = std::move(*server);
    co_return stop_wanted_ || abandoned_ ? Outcome::wanted_stop : Outcome::ready;
}

asio::awaitable<Instance::Outcome> Instance::become_ready(TimePoint deadline) {
    const auto begin = std::chrono::steady_clock::now();
    constexpr auto answer_limit = std::chrono::seconds(2);
    auto now = begin;
    co_await wake_.wait_until(now + shortest_pause);
    while (!exit_ && !stop_wanted_ && !abandoned_) {
        now = std::chrono::steady_clock::now();
        if (now >= deadline) {
            failure_ = "not ready after " + format_duration(plan_.start_timeout) +
                       " ([limits] start_timeout): " + last_answer_;
            co_return Outcome::failed;
        }
        const auto give_up = std::min(deadline, now + answer_limit);
        const auto answer =
            co_await probe_.get(endpoint_, std::string(plan_.backend->health_path()), give_up);
        if (take_answer(answer) && !exit_) {
            if (endpoint_.port != 0 && !only_listener_is(child_->pid(), endpoint_.port)) {
                failure_ = "somebody else answers on " + endpoint_.text();
                co_return co_await after_early_end();
            }
            co_return Outcome::ready;
        }
        if (!std::exchange(loads_, true)) {
            tools_.observer.on_progress(*this);
        }
        now = std::chrono::steady_clock::now();
        co_await wake_.wait_until(now + pause_after(now - begin));
    }
    if (stop_wanted_ || abandoned_) {
        co_return Outcome::wanted_stop;
    }
    co_return co_await after_early_end();
}

bool Instance::take_answer(const Result<Probe::Answer>& answer) {
    if (!answer) {
        last_answer_ = answer.error().message();
        return false;
    }
    last_answer_ = std::string(plan_.backend->health_path()) + " of " + endpoint_.text() +
                   " answers " + std::to_string(answer->status);
    if (answer->status == 200) {
        return true;
    }
    if (state_ == InstanceState::starting) {
        state_ = InstanceState::loading;
        tools_.observer.on_progress(*this);
    }
    return false;
}

/// Ended before it was ready, or not our server: on TCP the port may have been lost.
asio::awaitable<Instance::Outcome> Instance::after_early_end() {
    if (endpoint_.port == 0 || adopted_) {
        co_return Outcome::failed;
    }
    const bool is_foreign = !failure_.empty();
    co_await end_process();
    co_await log_->catch_up();
    const bool is_lost = is_foreign || plan_.backend->is_port_taken(recent_.lines());
    state_ = InstanceState::starting;
    co_return is_lost ? Outcome::port_lost : Outcome::failed;
}

/// What the server really has, by its own word; the estimate stays when it does not say.
asio::awaitable<void> Instance::learn_context() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    const auto path = plan_.backend->properties_path();
    if (path.empty() || stop_wanted_ || exit_) {
        co_return;
    }
    const auto answer = co_await probe_.get(endpoint_, std::string(path), limit);
    if (!answer || answer->status != 200) {
        co_return;
    }
    if (const auto context = plan_.backend->read_context(answer->body)) {
        plan_.context = *context;
    }
}

}  // namespace routerd
