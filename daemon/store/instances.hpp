#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd {

class Database;

/// One model server that was started and not yet seen to end: what the next daemon needs to find
/// the same process again and serve from it.
struct InstanceRow {
    std::int64_t id = 0;            ///< 0: insert() gives one, higher than any given before
    std::string model;              ///< id
    int pid = 0;                    ///< 0: not spawned yet
    std::uint64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat: tells it from a later process
    std::string boot_id;            ///< /proc/sys/kernel/random/boot_id
    std::string unix_path;          ///< empty when TCP
    std::uint16_t port = 0;         ///< 0 when a Unix socket
    std::string argv;               ///< JSON array
    std::string argv_hash;          ///< tells whether a reload changed the command line
    std::string log_path;
    unsigned slots = 1;
    WallTime started_at;  ///< kept to the millisecond
};

class InstanceRepository {
  public:
    explicit InstanceRepository(Database& database) noexcept : database_(&database) {}

    /// By id.
    Result<std::vector<InstanceRow>> load_all();

    /// Commit it before the server gets traffic, best before it is spawned. Gives the id.
    /// Errors: conflict when the id is taken.
    Result<std::int64_t> insert(const InstanceRow& row);

    /// Names the process of a row that was inserted before the spawn. Errors: not_found.
    Result<void> set_process(std::int64_t id, int pid, std::uint64_t start_ticks);

    /// No error when it is gone already.
    Result<void> remove(std::int64_t id);

    /// The highest id ever given, 0 when none was.
    Result<std::int64_t> last_id();

  private:
    Database* database_;
};

}  // namespace routerd
