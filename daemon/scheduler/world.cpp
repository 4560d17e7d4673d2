#include "daemon/scheduler/world.hpp"

#include <algorithm>
#include <utility>

namespace routerd::scheduler {

bool World::may_want_server(const std::string& model) const {
    const auto found = models.find(model);
    return !servers.contains(model) || (found != models.end() && found->second.instances > 1);
}

Resident& World::add(Resident resident) {
    servers[resident.model].insert(resident.id);
    const auto id = resident.id;
    return residents.insert_or_assign(id, std::move(resident)).first->second;
}

void World::remove(InstanceId instance) {
    const auto resident = residents.find(instance);
    if (resident == residents.end()) {
        return;
    }
    const auto of_model = servers.find(resident->second.model);
    of_model->second.erase(instance);
    if (of_model->second.empty()) {
        servers.erase(of_model);
    }
    residents.erase(resident);
}

const Resident* World::resident_of(const std::string& model) const {
    const auto of_model = servers.find(model);
    if (of_model == servers.end()) {
        return nullptr;
    }
    const Resident* found = nullptr;
    for (const auto id : of_model->second) {
        const auto& resident = residents.at(id);
        if (found == nullptr || (found->is_leaving() && !resident.is_leaving())) {
            found = &resident;
        }
    }
    return found;
}

Resident* World::resident_of(const std::string& model) {
    return const_cast<Resident*>(std::as_const(*this).resident_of(model));
}

void World::grant(TicketId ticket, Resident& resident, const std::string& key, bool has_slot,
                  TimePoint now) {
    auto& written = granted.try_emplace(granted.end(), ticket)->second;  // most are the newest
    written.instance = resident.id;
    written.model = resident.model;
    written.key = key;
    written.has_slot = has_slot;
    written.since = now;
    if (!has_slot) {
        ++resident.passengers;
        return;
    }
    ++resident.busy;
    auto& of = usage[resident.model];
    written.charged = of.mean_hold.value_or(Milliseconds(1));
    of.shares.grant(key, written.charged);
    if (const auto queue = queues.find(resident.model); queue != queues.end()) {
        queue->second.for_slot.update(key, of.shares.used(key));
    }
}

void World::settle(const Granted& grant, Usage& of, Milliseconds held) {
    of.shares.settle(grant.key, grant.charged, held);
    if (const auto queue = queues.find(grant.model); queue != queues.end()) {
        queue->second.for_slot.update(grant.key, of.shares.used(grant.key));
    } else if (!of.shares.in_use()) {
        of.shares.forget();
    }
}

void World::forget_shares(const std::string& model) {
    const auto of = usage.find(model);
    if (of != usage.end() && !of->second.shares.in_use() && !queues.contains(model)) {
        of->second.shares.forget();
    }
}

std::vector<const Resident*> World::residents_of(const std::string& model) const {
    std::vector<const Resident*> all;
    if (const auto of_model = servers.find(model); of_model != servers.end()) {
        for (const auto id : of_model->second) {
            all.push_back(&residents.at(id));
        }
    }
    return all;
}

std::vector<Resident*> World::residents_of(const std::string& model) {
    std::vector<Resident*> all;
    for (const auto* resident : std::as_const(*this).residents_of(model)) {
        all.push_back(const_cast<Resident*>(resident));
    }
    return all;
}

const std::vector<Footprint>& placements_of(const World& world, const std::string& model) {
    static const std::vector<Footprint> anywhere(1);
    const auto rules = world.models.find(model);
    return rules == world.models.end() || rules->second.placements.empty()
               ? anywhere
               : rules->second.placements;
}

const Places& places_of(const World& world, const std::string& model) {
    static const Places usual;
    const auto rules = world.models.find(model);
    return rules == world.models.end() ? usual : rules->second.places;
}

bool is_pinned(const World& world, const Resident& resident) {
    const auto model = world.models.find(resident.model);
    return model != world.models.end() && model->second.pinned;
}

}  // namespace routerd::scheduler
