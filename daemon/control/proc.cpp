#include "daemon/control/proc.hpp"

#include <fstream>
#include <string>

#include <unistd.h>

namespace routerd {

HostMemory read_host_memory() {
    constexpr std::uint64_t kib = 1024;
    HostMemory memory;
    std::ifstream file("/proc/meminfo");
    std::string name;
    std::uint64_t value = 0;
    std::string rest;
    while (file >> name >> value && std::getline(file, rest)) {
        if (name == "MemTotal:") {
            memory.total = value * kib;
        } else if (name == "MemAvailable:") {
            memory.available = value * kib;
        }
    }
    return memory;
}

std::uint64_t read_own_memory() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace routerd
