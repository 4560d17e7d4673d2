#include "daemon/backends/llama_server/device_list.hpp"

#include <algorithm>
#include <cctype>

#include "common/base/text.hpp"

namespace routerd::llama {
namespace {

/// "CUDA0: NVIDIA L40S …" → "CUDA"; empty for another line.
std::string_view kind_in(std::string_view line) {
    const auto name = line.substr(0, line.find(':'));
    const auto digits = name.find_last_not_of("0123456789");
    const bool is_device = name.size() < line.size() && digits != std::string_view::npos &&
                           digits + 1 < name.size() && name.find(' ') == std::string_view::npos;
    return is_device ? name.substr(0, digits + 1) : std::string_view();
}

}  // namespace

std::optional<GpuSupport> read_device_list(std::string_view answer) {
    const auto begin = answer.find("Available devices:");
    if (begin == std::string_view::npos) {
        return std::nullopt;
    }
    GpuSupport support;
    for (const auto line : split(answer.substr(begin), '\n')) {
        const auto kind = kind_in(trim(line));
        if (kind == "CUDA") {
            support.kinds.insert(DeviceKind::nvidia);
        } else if (kind == "ROCm") {
            support.kinds.insert(DeviceKind::amd);
        } else if (!kind.empty()) {
            support.has_others = true;
        }
    }
    return support;
}

}  // namespace routerd::llama
