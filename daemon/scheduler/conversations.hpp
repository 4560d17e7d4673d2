#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "daemon/scheduler/ids.hpp"

namespace routerd::scheduler {

/// Which of a model's servers has the prefix of a conversation in its cache: where its last request
/// ran. The newest thousand are remembered, more than servers have slots.
class Conversations {
  public:
    void note(std::uint64_t conversation, InstanceId instance);
    std::optional<InstanceId> find(std::uint64_t conversation) const;

  private:
    std::unordered_map<std::uint64_t, InstanceId> where_;
    std::deque<std::uint64_t> order_;  // of their coming
};

}  // namespace routerd::scheduler
