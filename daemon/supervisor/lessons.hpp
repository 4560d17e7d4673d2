#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/store/corrections.hpp"
#include "daemon/supervisor/memory_book.hpp"

namespace routerd {

/// A lesson as it is written down: {"version": 1, "devices": [{"device", "predicted": {"weights":
/// bytes, …}, "measured": {…}}, …]}. Parts of 0 bytes are left out.
CorrectionRow to_row(const Lesson& lesson, WallTime learned_at);

/// Errors: invalid_request when `row` is not what to_row() writes (another version, a damaged
/// file); nothing of it may be used then.
Result<Lesson> to_lesson(const CorrectionRow& row);

}  // namespace routerd
