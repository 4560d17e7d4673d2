#include "daemon/devices/cgroup.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/base/text.hpp"
#include "daemon/devices/small_file.hpp"

namespace routerd {
namespace {

/// The files of one version of cgroups.
struct Version {
    std::string_view mount;  // below /sys/fs/cgroup
    std::string_view limit;
    std::string_view usage;
    std::string_view active_cache;  // in memory.stat, children included
    std::string_view inactive_cache;
};

constexpr Version version_1{"/memory", "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                            "total_active_file", "total_inactive_file"};
// Mounted elsewhere where version 1 has the memory controller: then its files are not found here.
constexpr Version version_2{"", "/memory.max", "/memory.current", "active_file", "inactive_file"};
constexpr std::uint64_t no_limit = 1ULL << 62U;  // version 1 says 2^63 less a page

std::optional<CgroupLimit> limit_of(const std::string& folder, const Version& version) {
    const auto limit = read_number_file(folder + std::string(version.limit));
    const auto usage = read_number_file(folder + std::string(version.usage));
    if (!limit || *limit >= no_limit || !usage) {
        return std::nullopt;  // "max" is no number
    }
    std::uint64_t cache = 0;
    if (const auto stat = read_small_file(folder + "/memory.stat")) {
        cache = number_field(*stat, version.active_cache).value_or(0) +
                number_field(*stat, version.inactive_cache).value_or(0);
    }
    const auto held = *usage - std::min(cache, *usage);
    return CgroupLimit{"", *limit, *limit - std::min(held, *limit)};
}

void add_up_the_tree(std::vector<CgroupLimit>& limits, const std::string& mount, std::string path,
                     const Version& version) {
    while (true) {
        if (auto limit = limit_of(mount + path, version)) {
            limit->path = path.empty() ? "/" : path;
            limits.push_back(std::move(*limit));
        }
        if (path.empty()) {
            return;
        }
        path.resize(path.rfind('/'));
    }
}

}  // namespace

std::vector<CgroupLimit> cgroup_limits(const Roots& roots) {
    std::vector<CgroupLimit> limits;
    const auto groups = read_small_file(roots.proc + "/self/cgroup");
    if (!groups) {
        return limits;
    }
    for (const auto line : split(*groups, '\n')) {
        // "4:memory:/path" of version 1, "0::/path" of version 2
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) {
            continue;
        }
        const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
        const bool is_memory = std::ranges::find(controllers, "memory") != controllers.end();
        const bool is_unified = line.starts_with("0::");
        if (!is_memory && !is_unified) {
            continue;
        }
        const auto& version = is_unified ? version_2 : version_1;
        std::string path(line.substr(second + 1));
        path = path.starts_with('/') && path != "/" && path.find("/..") == std::string::npos ? path
                                                                                             : "";
        add_up_the_tree(limits, roots.sys + "/fs/cgroup" + std::string(version.mount), path,
                        version);
    }
    return limits;
}

}  // namespace routerd
