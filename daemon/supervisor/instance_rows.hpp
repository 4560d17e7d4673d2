#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <sys/types.h>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd {

/// What must be known of a running server to find it again after this daemon died: enough to tell
/// the very same process from another that got its number.
struct InstanceRow {
    std::uint64_t id = 0;
    std::string model;
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  ///< /proc/PID/stat field 22: clock ticks since boot
    std::string boot_id;            ///< /proc/sys/kernel/random/boot_id
    std::string unix_path;          ///< empty when it listens on TCP
    std::uint16_t port = 0;
    std::string argv_hash;  ///< of the arguments that configuration and model gave
    std::string alias;      ///< what it calls its model: proves that it is the one we started
    unsigned slots = 1;
    std::uint64_t context = 0;
    WallTime started;
};

/// Where the rows are kept. An interface so that the fleet's tests need no database; the daemon's
/// is StoredRows. Core loop only.
class InstanceRows {
  public:
    virtual ~InstanceRows() = default;

    /// Inserts or replaces the row of `row.id`; durable when it returns.
    virtual boost::asio::awaitable<Result<void>> save(InstanceRow row) = 0;
    virtual boost::asio::awaitable<Result<void>> erase(std::uint64_t id) = 0;
    virtual boost::asio::awaitable<Result<std::vector<InstanceRow>>> all() = 0;
};

}  // namespace routerd
