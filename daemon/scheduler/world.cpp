#include "daemon/scheduler/world.hpp"

#include <algorithm>
#include <utility>

namespace routerd::scheduler {

TimePoint Queue::first_rank() const {
    const auto rank = [](const Order& order) {
        return order.empty() ? TimePoint::max() : order.begin()->first;
    };
    return std::min(rank(for_slot), rank(for_server));
}

const Resident* World::resident_of(const std::string& model) const {
    const Resident* found = nullptr;
    for (const auto& [id, resident] : residents) {
        if (resident.model == model && (found == nullptr || found->is_leaving())) {
            found = &resident;
        }
    }
    return found;
}

Resident* World::resident_of(const std::string& model) {
    return const_cast<Resident*>(std::as_const(*this).resident_of(model));
}

}  // namespace routerd::scheduler
