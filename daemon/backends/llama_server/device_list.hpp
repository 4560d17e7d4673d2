#pragma once

#include <optional>
#include <string_view>

#include "daemon/backends/backend.hpp"

namespace routerd::llama {

/// Reads what `llama-server --list-devices` prints:
///     Available devices:
///       CUDA0: NVIDIA L40S (45488 MiB, 44000 MiB free)
/// or "(none)". Lines before the list are the libraries' own. nullopt: there is no list in it.
std::optional<GpuSupport> read_device_list(std::string_view answer);

}  // namespace routerd::llama
