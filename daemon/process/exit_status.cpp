#include "daemon/process/exit_status.hpp"

#include <string.h>

namespace routerd {

std::string to_string(const ExitStatus& status) {
    if (status.code) {
        return "exit status " + std::to_string(*status.code);
    }
    if (!status.signal) {
        return "ended; its exit status is not known, an earlier daemon started it";
    }
    const char* name = ::sigabbrev_np(*status.signal);
    const std::string text =
        name == nullptr ? "signal " + std::to_string(*status.signal) : "SIG" + std::string(name);
    return "killed by " + text + (status.dumped_core ? ", core dumped" : "");
}

}  // namespace routerd
