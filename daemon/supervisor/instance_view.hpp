#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "common/base/time.hpp"

namespace routerd {

/// Where a model, or one server of it, is in its life.
enum class InstanceState {
    off,       ///< no process
    starting,  ///< being spawned, or alive without having answered
    loading,   ///< answers that it is loading
    ready,
    draining,  ///< no new requests; those in flight finish
    stopping,  ///< told to end
    crashed,   ///< ended by itself; the next request starts it again
    failed,    ///< failed again and again: refused until the back-off is over
};

/// "off", "starting", …: the words of the HTTP contract.
std::string_view to_string(InstanceState state) noexcept;

/// One row of `ps`: a server that lives, or with `-a` what is left of one that does not.
/// A value: it does not change with the server.
struct InstanceView {
    std::uint64_t id = 0;  ///< 0 when there is no process
    std::string model;
    InstanceState state = InstanceState::off;
    unsigned slots = 0;
    unsigned busy = 0;      ///< slots with a request in them
    std::size_t queue = 0;  ///< requests waiting for the model
    std::uint64_t rss_bytes = 0;
    std::vector<std::string> gpus;  ///< that it has a part of ("cuda0"); none: all on the host
    std::uint64_t gpu_bytes = 0;    ///< reserved for it there
    std::uint64_t context = 0;      ///< tokens per slot; 0 when not known
    std::optional<WallTime> until;  ///< unloaded then if nothing comes; nullopt: not by itself
    pid_t pid = 0;
    bool elsewhere = false;  ///< it lives on another machine, as far as is known
    std::uint16_t port = 0;  ///< 0 when it listens on a Unix socket
    std::string address;     ///< "unix:/…", "127.0.0.1:9001" or a URL
    WallTime started;
    std::optional<std::chrono::milliseconds> load_time;  ///< spawn to ready
    std::optional<unsigned> loaded_percent;              ///< while loading, where the server says
    std::optional<double> tokens_per_second;             ///< of the last answer that told
    bool pinned = false;
    bool adopted = false;  ///< started by a daemon before this one
    /// When the server that lives began or ended a request; when it was ready, before the first.
    std::optional<WallTime> last_used;
    std::string last_error;  ///< why the last server of this model ended, when it was no wish
    unsigned failures = 0;   ///< ends of that kind in a row
    std::optional<WallTime> retry_at;  ///< failed: when a request may start it again

    /// There is a server.
    bool is_there() const noexcept { return pid != 0 || elsewhere; }
};

}  // namespace routerd
