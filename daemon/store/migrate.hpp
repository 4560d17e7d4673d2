#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "daemon/store/open.hpp"

namespace routerd {

/// In the head of every database of ours: "rout".
inline constexpr std::int64_t state_application_id = 0x726F7574;

/// Brings `database` from schema `version` to the newest, one transaction a step, after a backup
/// when it held anything; says in `report` what it did. Killed at any point, it goes on at the next
/// start.
Result<void> migrate(Database& database, Migrations migrations, std::int64_t version,
                     OpenReport& report);

/// Names and renames in a directory are durable only when the directory is.
void sync_directory_of(const std::string& path);

}  // namespace routerd
