#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace routerd::transfer {

/// The bytes [begin, end) of a file.
struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    std::uint64_t size() const noexcept { return end - begin; }
    bool empty() const noexcept { return begin >= end; }
    bool operator==(const Range&) const = default;
};

/// A set of bytes of a file, as few ranges in order. A plain value.
class Extents {
  public:
    void add(Range range);
    void remove(Range range);

    /// How many bytes are in it.
    std::uint64_t total() const noexcept;

    /// Where the range that holds `offset` ends; `offset` itself when it is not in the set.
    std::uint64_t end_at(std::uint64_t offset) const noexcept;

    /// The first bytes from `from` on and below `limit` that are not in it; nullopt: all are.
    std::optional<Range> gap(std::uint64_t from, std::uint64_t limit) const noexcept;

    bool empty() const noexcept { return ranges_.empty(); }
    const std::vector<Range>& ranges() const noexcept { return ranges_; }

    /// "0-1048576,2097152-4194304", ends not included; "" when it is empty.
    std::string to_text() const;
    /// Errors: invalid_request for what to_text() cannot have said.
    static Result<Extents> from_text(std::string_view text);

    bool operator==(const Extents&) const = default;

  private:
    std::vector<Range> ranges_;  // disjoint, not touching, in order
};

}  // namespace routerd::transfer
