#include "daemon/devices/process_memory.hpp"

#include <string>

#include "daemon/devices/small_file.hpp"

namespace routerd {

Result<ProcessMemory> read_process_memory(const Roots& roots, pid_t pid, Detail detail) {
    const auto folder = roots.proc + "/" + std::to_string(pid);
    const auto status = read_small_file(folder + "/status");
    if (!status) {
        return status.error().within("memory of process " + std::to_string(pid));
    }
    const auto resident = number_field(*status, "VmRSS");
    if (!resident) {  // a kernel thread, or a process that ended and was not reaped yet
        return Error(Errc::not_found, "process " + std::to_string(pid) + " has no memory");
    }
    ProcessMemory memory;
    memory.resident = *resident;
    memory.peak_resident = number_field(*status, "VmHWM").value_or(0);
    memory.anonymous = number_field(*status, "RssAnon").value_or(0);
    memory.file = number_field(*status, "RssFile").value_or(0);
    memory.shared = number_field(*status, "RssShmem").value_or(0);
    memory.swapped = number_field(*status, "VmSwap").value_or(0);
    if (detail == Detail::proportional) {
        if (const auto rollup = read_small_file(folder + "/smaps_rollup")) {
            memory.proportional = number_field(*rollup, "Pss");
        }
    }
    return memory;
}

}  // namespace routerd
