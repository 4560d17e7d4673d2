#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/gguf/input.hpp"
#include "daemon/gguf/types.hpp"

namespace routerd::gguf {

/// One value of the metadata, as far as the router keeps any: whole numbers that are not negative,
/// flags, texts up to a limit, short lists of numbers. Everything else is only counted.
struct Value {
    ValueType type = ValueType::u8;
    std::optional<std::uint64_t> number;  ///< whole and not negative; a flag is 0 or 1
    std::optional<std::string> text;      ///< absent when longer than asked for
    std::uint64_t length = 0;             ///< of a text in bytes, of an array in elements
    std::vector<std::uint64_t> list;      ///< an array of whole numbers, if short enough
};

/// How much of a value its reader wants.
struct Wanted {
    std::uint64_t text_bytes = 0;
    std::uint64_t list_length = 0;
};

/// Reads or skips the value that follows (its type first). What does not fit `wanted` is skipped.
Value read_value(Input& input, const Wanted& wanted);

}  // namespace routerd::gguf
