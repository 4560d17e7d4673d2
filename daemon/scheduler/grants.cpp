#include "daemon/scheduler/grants.hpp"

#include <algorithm>
#include <optional>

namespace routerd::scheduler {

Resident* server_for(World& world, const Wanted& wanted) {
    const auto servers = world.servers.find(wanted.model);
    if (servers == world.servers.end()) {
        return nullptr;
    }
    std::optional<InstanceId> home;
    if (!world.conversations.empty()) {
        const auto known = world.conversations.find(wanted.model);
        home = known == world.conversations.end() ? std::nullopt
                                                  : known->second.find(wanted.conversation);
    }
    Resident* best = nullptr;
    for (const auto id : servers->second) {
        auto& resident = world.residents.at(id);
        const bool may_serve =
            resident.serves(wanted.rank) && (!wanted.needs_slot || resident.has_free_slot());
        if (!may_serve) {
            continue;
        }
        if (home == id) {
            return &resident;
        }
        // By the part of its slots that is taken: 1 of 4 is less busy than 1 of 2.
        if (best == nullptr || std::uint64_t{resident.busy} * best->slots <
                                   std::uint64_t{best->busy} * resident.slots) {
            best = &resident;
        }
    }
    return best;
}

Grant grant_on(World& world, TicketId ticket, const Wanted& wanted, Resident& resident,
               TimePoint now) {
    Grant grant{ticket, resident.id};
    grant.queued = between(wanted.since, now);
    grant.loaded = between(std::max(wanted.since, resident.started), resident.ready_at);
    resident.last_used = now;
    world.grant(ticket, resident, wanted.key, wanted.needs_slot, now);
    const auto rules =
        wanted.conversation == 0 ? world.models.end() : world.models.find(wanted.model);
    if (rules != world.models.end() && rules->second.instances > 1) {
        world.conversations[wanted.model].note(wanted.conversation, resident.id);
    }
    return grant;
}

}  // namespace routerd::scheduler
