#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "daemon/store/database.hpp"

namespace routerd {

/// The SQL that leads from schema i to schema i + 1, for i = 0, 1, …; entries are only ever added.
using Migrations = std::span<const std::string_view>;

/// The schema of this build.
Migrations state_migrations();

/// What happened at open(), for the log and `status`.
struct OpenReport {
    bool created = false;     ///< a new database was started
    int migrated_from = 0;    ///< the older schema it had; 0: none
    std::string backup;       ///< copy made before migrating, or empty
    std::string moved_aside;  ///< where a damaged one lies now, or empty
    std::string problem;      ///< why it was moved aside or started anew, or empty
};

struct OpenedDatabase {
    Database database;
    OpenReport report;
};

/// Opens `path`, makes it durable (WAL, synchronous=FULL, foreign keys), checks it, and brings its
/// schema up to date, one transaction a step, after a backup `<path>.schema-<n>.bak`.
/// A damaged file (or something that is no file) is moved to `<path>.corrupt-<time>` with its log,
/// and a new database is started: the report says so, and the caller must tell.
/// Blocks; call it only while holding the StateLock.
/// Errors: conflict (newer schema, or a database of another program; nothing is written),
/// unavailable (cannot be opened, disk full).
Result<OpenedDatabase> open_state_database(const std::string& path,
                                           Migrations migrations = state_migrations());

}  // namespace routerd
