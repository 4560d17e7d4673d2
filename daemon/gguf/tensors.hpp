#pragma once

#include <cstdint>

#include "daemon/gguf/input.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd::gguf {

/// Reads the table of `count` tensors and adds its sums to `metadata`. Every size and offset is
/// checked, so that what the file promises lies inside the file. Afterwards the input stands at the
/// end of the header.
void read_tensors(Input& input, std::uint64_t count, std::uint32_t alignment, Metadata& metadata);

}  // namespace routerd::gguf
