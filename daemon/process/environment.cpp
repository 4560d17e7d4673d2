#include "daemon/process/environment.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <unistd.h>

namespace routerd {
namespace {

constexpr std::array<std::string_view, 9> passed_names{
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"};

constexpr std::array<std::string_view, 16> passed_prefixes{
    "LC_",   "CUDA_", "NVIDIA_", "HIP_", "ROCR_",   "ROCM_", "HSA_", "GPU_",
    "GGML_", "VK_",   "SYCL_",   "ZE_",  "ONEAPI_", "OMP_",  "KMP_", "OPENBLAS_"};

bool is_passed(std::string_view name) {
    return std::ranges::find(passed_names, name) != passed_names.end() ||
           std::ranges::any_of(passed_prefixes, [name](std::string_view prefix) {
               return name.starts_with(prefix);
           });
}

}  // namespace

std::vector<std::string> server_environment(const std::map<std::string, std::string>& added) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        if (equals != std::string_view::npos && is_passed(text.substr(0, equals))) {
            all.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    for (const auto& [name, value] : added) {
        all[name] = value;
    }
    std::vector<std::string> entries;
    entries.reserve(all.size());
    for (const auto& [name, value] : all) {
        entries.push_back(name + "=" + value);
    }
    return entries;
}

}  // namespace routerd
