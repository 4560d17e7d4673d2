#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "daemon/process/log_query.hpp"

namespace routerd {

/// The two files of one log: the one being written, and what was rotated out of it.
struct LogPaths {
    std::string current;
    std::string older;
};

/// Reads what `query` asks for. `base` is the logical offset of the first byte of the current file;
/// at most `limit` bytes at the end of each file are looked at. Blocks. Errors: not_found when
/// neither file exists, unavailable.
Result<LogPage> read_log_files(const LogPaths& paths, const LogQuery& query, std::uint64_t base,
                               std::uint64_t limit);

}  // namespace routerd
