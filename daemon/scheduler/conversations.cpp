#include "daemon/scheduler/conversations.hpp"

namespace routerd::scheduler {
namespace {

constexpr std::size_t remembered = 1000;

}  // namespace

void Conversations::note(std::uint64_t conversation, InstanceId instance) {
    if (conversation == 0) {
        return;
    }
    const auto [place, is_new] = where_.insert_or_assign(conversation, instance);
    if (is_new) {
        order_.push_back(conversation);
    }
    if (order_.size() > remembered) {
        where_.erase(order_.front());
        order_.pop_front();
    }
}

std::optional<InstanceId> Conversations::find(std::uint64_t conversation) const {
    const auto found = where_.find(conversation);
    return found == where_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace routerd::scheduler
