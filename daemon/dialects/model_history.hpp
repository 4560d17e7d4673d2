#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/base/time.hpp"
#include "daemon/supervisor/instance_view.hpp"

namespace routerd {

/// What is told of a model when its server is gone already: when it was used last, how long its
/// last load took, and what it held at the turns of its lives. Since the daemon's start; by id.
/// A value that is told things; core loop.
class ModelHistory {
  public:
    static constexpr std::size_t kept_moments = 20;  ///< of each model, the newest

    /// What one server held when it became ready, was told to end, or crashed.
    struct Moment {
        WallTime time;
        InstanceState state = InstanceState::off;  ///< that it came to: ready, stopping, crashed
        std::map<std::string, std::uint64_t> devices;  ///< bytes, by device
    };
    struct Record {
        std::optional<WallTime> last_used;
        std::optional<std::chrono::milliseconds> load_time;
        std::deque<Moment> moments;  ///< oldest first
    };

    /// Keeps the moment, and what `view` knows of uses and loads.
    void add(const InstanceView& view, Moment moment);

    /// Forgets those of whom `is_known` is false.
    void keep(const std::function<bool(const std::string&)>& is_known);

    /// Of a model without one an empty record.
    const Record& of(const std::string& id) const;

  private:
    std::map<std::string, Record> records_;
};

}  // namespace routerd
