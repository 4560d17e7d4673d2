#include "daemon/scheduler/backoff.hpp"

#include <algorithm>

namespace routerd::scheduler {
namespace {

using std::chrono::seconds;

constexpr auto first_delay = seconds(1);
constexpr auto longest_delay = seconds(60);
constexpr auto healthy_after = std::chrono::minutes(10);

/// 0 for step 0, then 1, 2, 4, … 60 s.
Milliseconds delay(unsigned step, double jitter) {
    if (step == 0) {
        return Milliseconds(0);
    }
    constexpr unsigned steps_to_longest = 7;
    const auto doublings = std::min(step - 1, steps_to_longest);
    const auto base = std::min<seconds>(first_delay * (1 << doublings), longest_delay);
    const auto extra = std::chrono::duration<double>(base) * 0.25 * std::clamp(jitter, 0.0, 1.0);
    return base + std::chrono::duration_cast<Milliseconds>(extra);
}

}  // namespace

Failure after_failure(const Failure& before, const Resident& failed, const Exit& exit,
                      TimePoint now) {
    const bool was_ready = failed.phase != Phase::starting;
    const bool was_healthy = was_ready && now - failed.ready_at >= healthy_after;
    Failure failure;
    failure.count = was_healthy ? 1 : before.count + 1;
    failure.at = now;
    failure.error = exit.error;
    failure.was_loading = !was_ready;
    failure.fingerprint = failed.fingerprint;
    failure.until = now + delay(was_ready ? failure.count - 1 : failure.count, exit.jitter);
    return failure;
}

void forget_what_is_over(World& world, TimePoint now) {
    const auto forgotten = std::erase_if(world.failures, [&world, now](const auto& entry) {
        const auto& [model, failure] = entry;
        return std::ranges::any_of(world.residents_of(model), [&failure, now](const auto* server) {
            return server->ready_at > failure.at && now - server->ready_at >= healthy_after;
        });
    });
    world.places_changed = world.places_changed || forgotten > 0;
}

void forget_failures_before(World& world, const Resident& gone) {
    const auto failure = world.failures.find(gone.model);
    if (failure != world.failures.end() && gone.ready_at > failure->second.at) {
        world.failures.erase(failure);
    }
}

std::optional<TimePoint> no_further_server_before(const World& world, const std::string& model,
                                                  TimePoint now) {
    const auto failure = world.failures.find(model);
    if (failure == world.failures.end()) {
        return std::nullopt;
    }
    if (failure->second.count >= world.rules.quarantine_after) {
        return TimePoint::max();
    }
    const auto until = failure->second.at + healthy_after;
    return now < until ? std::optional(until) : std::nullopt;
}

std::optional<Reason> refusal_of_failed(const World& world, const std::string& model,
                                        TimePoint now) {
    const auto failure = world.failures.find(model);
    if (failure == world.failures.end()) {
        return std::nullopt;
    }
    Reason reason{.why = Why::quarantined};
    reason.count = failure->second.count;
    reason.detail = failure->second.error;
    if (failure->second.count >= world.rules.quarantine_after) {
        return reason;
    }
    reason.why = Why::backing_off;
    reason.time = between(now, failure->second.until);
    return reason.time.count() > 0 ? std::optional(reason) : std::nullopt;
}

const Failure* failure_to_load(const World& world, const std::string& model) {
    const auto failure = world.failures.find(model);
    const bool failed = failure != world.failures.end() && failure->second.was_loading;
    return failed ? &failure->second : nullptr;
}

}  // namespace routerd::scheduler
