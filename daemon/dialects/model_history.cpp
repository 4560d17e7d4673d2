#include "daemon/dialects/model_history.hpp"

#include <utility>

namespace routerd {

void ModelHistory::add(const InstanceView& view, Moment moment) {
    auto& record = records_[view.model];
    if (view.last_used) {
        record.last_used = view.last_used;
    }
    if (view.load_time) {
        record.load_time = view.load_time;
    }
    record.moments.push_back(std::move(moment));
    if (record.moments.size() > kept_moments) {
        record.moments.pop_front();
    }
}

void ModelHistory::keep(const std::function<bool(const std::string&)>& is_known) {
    std::erase_if(records_, [&is_known](const auto& entry) { return !is_known(entry.first); });
}

const ModelHistory::Record& ModelHistory::of(const std::string& id) const {
    static const Record none;
    const auto record = records_.find(id);
    return record == records_.end() ? none : record->second;
}

}  // namespace routerd
