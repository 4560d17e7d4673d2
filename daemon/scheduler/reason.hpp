#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.hpp"

namespace routerd::scheduler {

/// Why something was decided.
enum class Why {
    // starts
    requested,    ///< a request waits for the model
    more_wanted,  ///< requests wait for a slot, and the model may have another server
    commanded,    ///< somebody said `load`, `switch` or `restart`
    preloaded,    ///< configured to be there from the start
    // drains and stops
    makes_room,      ///< for `other`, at the least expected cost; nobody used it for `time`
    door_closed,     ///< makes room for `other`, which waited for `time`
    over_the_limit,  ///< more are loaded than a new configuration allows (`limit`, or `group`)
    yields,          ///< other processes need room on `device`: `bytes` more than are left
    idle_too_long,   ///< unused for `time`
    unload_commanded,
    restart_commanded,
    settings_changed,  ///< its command line is another now
    model_gone,        ///< removed or disabled
    shutting_down,
    drain_timed_out,  ///< requests still ran after `time`
    // refusals
    queue_full,         ///< `count` wait already
    quarantined,        ///< failed `count` times in a row: not started before it is reset
    failed_before,      ///< its last load failed (`detail`), and it gets no other model's place
    backing_off,        ///< failed `count` times; next start in `time`
    start_failed,       ///< the load that it waited for failed
    stopped_loading,    ///< unloaded by a command while it loaded
    would_not_fit,      ///< not even alone: `bytes` on `device`, where `free` are for models
    all_pinned,         ///< the same beside the pinned models, or they take all places (`limit`)
    no_room_for_extra,  ///< preload, and it does not fit beside what is loaded
    deadline_passed,    ///< waited for `time`
    unknown_model,
};

/// The word used in events: "least_recently_used".
std::string_view to_string(Why why) noexcept;

/// A decision's reason as data; what is not told by `why` is empty.
struct Reason {
    Why why = Why::requested;
    std::string other{};                ///< another model
    std::chrono::milliseconds time{0};  ///< how long
    std::size_t count = 0;
    std::size_t limit = 0;
    std::string detail{};  ///< the last error of a server
    std::string device{};
    std::string group{};                ///< of models, that has no more places (`limit`)
    std::uint64_t bytes = 0;            ///< wanted
    std::uint64_t free = 0;             ///< bytes
    std::uint64_t foreign = 0;          ///< bytes that processes of others use there
    std::vector<std::string> models{};  ///< that are loaded
};

/// One sentence part: "least recently used, idle for 4m 3s; makes room for 'b'".
std::string describe(const Reason& reason);

/// For events: why, and every figure that is set, by name.
std::vector<std::pair<std::string, std::string>> details(const Reason& reason);

/// What a refused request for `model` is told, with hint and time to try again.
Error refusal(const std::string& model, const Reason& reason);

}  // namespace routerd::scheduler
