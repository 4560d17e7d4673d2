#pragma once

#include <string>

#include "common/base/error.hpp"

struct sqlite3;

namespace routerd {

/// What SQLite's last failure on `database` was, as an Error: `attempt` says what was tried.
Error sqlite_error(sqlite3* database, const std::string& attempt);

}  // namespace routerd
