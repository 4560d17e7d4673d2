#include "daemon/supervisor/wait.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/base/units.hpp"

namespace routerd {
namespace {

using scheduler::Phase;
using scheduler::Resident;
using scheduler::World;

std::string counted(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Wait wait_for_server(const Resident& resident) {
    Wait wait;
    wait.instance = resident.id;
    wait.busy = resident.busy + resident.passengers;
    wait.slots = resident.slots;
    if (resident.phase == Phase::starting) {
        wait.why = Wait::Why::loading;
    } else if (resident.is_leaving()) {
        wait.why = Wait::Why::server_ending;
    } else if (resident.busy >= resident.slots) {
        wait.why = Wait::Why::no_slot;
    }
    return wait;
}

/// The server that leaves for `model`; of several the one that answers most.
const Resident* leaving_for(const World& world, const std::string& model) {
    const Resident* found = nullptr;
    for (const auto& [id, resident] : world.residents) {
        const bool is_it = resident.is_leaving() && resident.leaving.other == model;
        if (is_it && (found == nullptr || resident.busy > found->busy)) {
            found = &resident;
        }
    }
    return found;
}

Wait wait_for_room(const World& world, const std::string& model) {
    Wait wait;
    if (const auto* leaving = leaving_for(world, model)) {
        wait = wait_for_server(*leaving);
        wait.why = Wait::Why::makes_room;
        wait.other = leaving->model;
        return wait;
    }
    const auto rules = world.models.find(model);
    const bool is_sized = rules != world.models.end() && !rules->second.placements.empty();
    const auto placement = is_sized ? rules->second.placements.front() : scheduler::Footprint();
    const auto lack =
        scheduler::Ledger::now(world).lack(placement, scheduler::places_of(world, model));
    if (!lack) {
        return wait;
    }
    wait.why = lack->device.empty() ? Wait::Why::no_place : Wait::Why::no_room;
    if (lack->device.empty()) {
        const auto group = world.rules.groups.find(lack->group);
        wait.limit = group == world.rules.groups.end() ? world.rules.max_loaded : group->second;
        wait.group = lack->group;
    }
    wait.device = lack->device;
    wait.bytes = lack->wanted;
    wait.free = lack->free;
    return wait;
}

std::string_view word(Wait::Why why) {
    switch (why) {
        case Wait::Why::loading:
            return "loading";
        case Wait::Why::no_slot:
            return "no_slot";
        case Wait::Why::server_ending:
            return "server_ending";
        case Wait::Why::makes_room:
            return "makes_room";
        case Wait::Why::no_place:
            return "no_place";
        case Wait::Why::no_room:
            return "no_room";
        case Wait::Why::turn:
            break;
    }
    return "turn";
}

std::string describe_cause(const Wait& wait) {
    switch (wait.why) {
        case Wait::Why::loading:
            return "its server is loading";
        case Wait::Why::no_slot:
            return wait.slots == 1 ? "the only slot is taken"
                                   : "all " + counted(wait.slots, "slot") + " are taken";
        case Wait::Why::server_ending:
            return "its server is ending and starts again then";
        case Wait::Why::makes_room:
            return "'" + wait.other + "' makes room for it" +
                   (wait.busy == 0 ? "" : " after " + counted(wait.busy, "request"));
        case Wait::Why::no_place:
            return counted(wait.limit, "server") +
                   (wait.group.empty() ? " of models"
                                       : " of models in group '" + wait.group + "'") +
                   (wait.limit == 1 ? " runs" : " run") +
                   ", which is the limit (max_loaded), and none of them may go yet";
        case Wait::Why::no_room:
            return "it needs " + format_bytes(wait.bytes) + " on '" + wait.device + "', where " +
                   format_bytes(wait.free) + " are free, and nothing there may go yet";
        case Wait::Why::turn:
            break;
    }
    return "it is not its turn yet";
}

}  // namespace

Wait what_it_waits_for(const scheduler::Scheduler& scheduler, scheduler::TicketId ticket) {
    const auto& world = scheduler.world();
    const auto waiter = world.waiters.find(ticket);
    if (waiter == world.waiters.end()) {
        return {};
    }
    const auto& model = waiter->second.model;
    const auto* resident = world.resident_of(model);
    auto wait = resident != nullptr ? wait_for_server(*resident) : wait_for_room(world, model);
    wait.position = scheduler.position(ticket);
    return wait;
}

std::string describe(const Wait& wait) {
    auto text = describe_cause(wait);
    if (wait.position > 1) {
        const auto before = wait.position - 1;
        text += "; " + std::to_string(before) + (before == 1 ? " is" : " are") + " before it";
    }
    return text;
}

std::vector<std::pair<std::string, std::string>> details(const Wait& wait) {
    std::vector<std::pair<std::string, std::string>> all;
    const auto add = [&all](const char* name, std::uint64_t number) {
        if (number != 0) {
            all.emplace_back(name, std::to_string(number));
        }
    };
    all.emplace_back("waits_for", word(wait.why));
    if (!wait.other.empty()) {
        all.emplace_back("other", wait.other);
    }
    add("instance", wait.instance);
    add("busy", wait.busy);
    add("slots", wait.slots);
    add("position", wait.position);
    add("limit", wait.limit);
    if (!wait.group.empty()) {
        all.emplace_back("group", wait.group);
    }
    if (!wait.device.empty()) {
        all.emplace_back("device", wait.device);
        all.emplace_back("bytes", std::to_string(wait.bytes));
        all.emplace_back("free_bytes", std::to_string(wait.free));
    }
    return all;
}

}  // namespace routerd
