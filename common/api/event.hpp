#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// Something that happened, with its reason as data: what `routerctl events` shows.
struct Event {
    std::uint64_t id = 0;  ///< rises by one; given by the event log
    WallTime time;         ///< given by the event log
    std::string type;      ///< "instance.starting", "model.default", "catalog.scanned", …
    std::string model;     ///< id, or empty
    std::string message;   ///< one sentence for people
    std::vector<std::pair<std::string, std::string>> details;  ///< reasons and figures, by name
};

using EventList = List<Event>;

/// Where rooms report events; called on the core loop, must not block.
using EventSink = std::function<void(Event)>;

}  // namespace routerd::api
