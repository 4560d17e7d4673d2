#include "daemon/pull/hub_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <unistd.h>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/pull/names.hpp"

namespace routerd::pull {
namespace {

namespace fs = std::filesystem;

std::string repo_folder(const Plan& plan) {
    auto name = plan.hub->repo;
    if (const auto slash = name.find('/'); slash != std::string::npos) {
        name.replace(slash, 1, "--");
    }
    return "models--" + name;
}

/// Inside the repository. The URL has it: a plan may put a projector beside its model, wherever
/// the repository has it.
std::string path_in_repo(const Plan& plan, const RemoteFile& file) {
    const auto before = "/resolve/" + plan.hub->revision + "/";
    const auto found = file.url.find(before);
    const auto path = found == std::string::npos
                          ? std::string()
                          : percent_decoded(file.url.substr(found + before.size()));
    const auto checked = checked_path(path);
    return checked ? *checked : std::string(base_name(file.path));
}

Result<void> link(const fs::path& name, const std::string& target) {
    std::error_code failed;
    fs::create_directories(name.parent_path(), failed);
    if (failed) {
        return errno_error("make the folder '" + escaped(name.parent_path().string()) + "'",
                           failed.value());
    }
    if (::symlink(target.c_str(), name.c_str()) == 0) {
        return {};
    }
    if (errno != EEXIST) {
        return errno_error("link '" + escaped(name.string()) + "'", errno);
    }
    const auto there = fs::read_symlink(name, failed);
    return !failed && there == target
               ? Result<void>()
               : Result<void>(Error(Errc::conflict, "'" + escaped(name.string()) +
                                                        "' is there already, and is another file"));
}

/// Whole or not at all.
Result<void> write_ref(const fs::path& name, const std::string& commit) {
    std::error_code failed;
    fs::create_directories(name.parent_path(), failed);
    const auto fresh = name.string() + ".part";
    std::ofstream(fresh) << commit;
    fs::rename(fresh, name, failed);
    return failed
               ? Result<void>(errno_error("write '" + escaped(name.string()) + "'", failed.value()))
               : Result<void>();
}

}  // namespace

bool fits_hub_cache(const Plan& plan) {
    return plan.hub && std::ranges::all_of(
                           plan.files, [](const RemoteFile& file) { return !file.sha256.empty(); });
}

std::string hub_blob_path(const Plan& plan, const RemoteFile& file) {
    return repo_folder(plan) + "/blobs/" + file.sha256;
}

std::string hub_snapshot_path(const Plan& plan, const RemoteFile& file) {
    return repo_folder(plan) + "/snapshots/" + plan.hub->revision + "/" + path_in_repo(plan, file);
}

Result<void> link_hub_snapshot(const std::string& cache, const Plan& plan) {
    for (const auto& file : plan.files) {
        const auto path = hub_snapshot_path(plan, file);
        std::string up;
        const auto folders = std::ranges::count(path, '/') - 1;  // below the repository's own
        for (auto i = folders; i > 0; --i) {
            up += "../";
        }
        const auto linked = link(fs::path(cache) / path, up + "blobs/" + file.sha256);
        if (!linked) {
            return linked;
        }
    }
    return write_ref(fs::path(cache) / repo_folder(plan) / "refs" / "main", plan.hub->revision);
}

}  // namespace routerd::pull
