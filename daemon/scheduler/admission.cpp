#include "daemon/scheduler/admission.hpp"

#include <algorithm>
#include <chrono>

#include "daemon/scheduler/round.hpp"

namespace routerd::scheduler {
namespace {

/// When it would never fit, or is a preload that does not fit now.
std::optional<Reason> refusal_of_placement(const World& world, const Ask& ask) {
    if (world.resident_of(ask.model) != nullptr) {
        return std::nullopt;
    }
    const auto never = lack_of_room(world, ask.model, Ledger::empty(world));
    if (never) {
        return reason_of(world, Why::would_not_fit, *never);
    }
    const auto now = lack_of_room(world, ask.model, Ledger::now(world));
    if (now && ask.cause == Cause::preload) {
        return reason_of(world, Why::no_room_for_extra, *now);
    }
    return std::nullopt;
}

}  // namespace

std::optional<Reason> refusal_at_the_door(const World& world, const Ask& ask, TimePoint now) {
    if (world.stopping) {
        return Reason{.why = Why::shutting_down};
    }
    if (!world.models.contains(ask.model)) {
        return Reason{.why = Why::unknown_model};
    }
    if (ask.deadline <= now) {
        return Reason{.why = Why::deadline_passed};
    }
    if (auto reason = refusal_of_placement(world, ask)) {
        return reason;
    }
    const auto queue = world.queues.find(ask.model);
    const auto waiting = queue == world.queues.end() ? 0 : queue->second.size();
    const auto servers = world.residents_of(ask.model);
    const auto serves_at_once = [&ask, waiting](const Resident* server) {
        return server->phase == Phase::ready &&
               (!ask.needs_slot || (server->has_free_slot() && waiting == 0));
    };
    const bool runs_at_once = std::ranges::any_of(servers, serves_at_once);
    if (ask.cause != Cause::request || runs_at_once || waiting < world.rules.queue_size) {
        return std::nullopt;
    }
    Reason reason{.why = Why::queue_full};
    reason.count = waiting;
    const auto usage = world.usage.find(ask.model);
    const auto slots = std::max(1U, world.models.at(ask.model).slots) *
                       static_cast<unsigned>(std::max<std::size_t>(servers.size(), 1));
    if (usage != world.usage.end() && usage->second.mean_hold) {
        const auto longest = std::chrono::minutes(1);
        reason.time =
            std::min<Milliseconds>(*usage->second.mean_hold * static_cast<std::int64_t>(waiting) /
                                       static_cast<std::int64_t>(slots),
                                   longest);
    }
    return reason;
}

}  // namespace routerd::scheduler
