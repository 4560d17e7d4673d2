#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/result.hpp"

namespace routerd::transfer {

/// A file that is there already. No link below the root is followed. Both block.
struct WholeFile {
    std::uint64_t size = 0;
    std::string sha256;  ///< empty when it was not asked for
};

enum class WithDigest { no, yes };

/// nullopt: there is nothing of that name. Errors: conflict (it is no plain file), unavailable.
Result<std::optional<WholeFile>> look_at(const std::string& root, const std::string& path,
                                         WithDigest digest);

/// Copies `source`, a GGUF file, to the part of a file below `root`, sharing its blocks where the
/// file system can; the digest is that of what was copied. `told` hears how many bytes are done;
/// false from it ends the copy (cancelled). Errors: not_found, invalid_request (no GGUF file),
/// conflict, would_not_fit, unavailable.
Result<WholeFile> copy_to_part(const std::string& source, const std::string& root,
                               const std::string& path,
                               const std::function<bool(std::uint64_t)>& told);

}  // namespace routerd::transfer
