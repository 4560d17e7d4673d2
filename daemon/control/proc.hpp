#pragma once

#include <cstdint>

namespace routerd {

/// Bytes of memory, as the kernel's files say; zero where they cannot be read.
struct HostMemory {
    std::uint64_t total = 0;
    std::uint64_t available = 0;
};

HostMemory read_host_memory();

/// Resident memory of this process, in bytes.
std::uint64_t read_own_memory();

}  // namespace routerd
