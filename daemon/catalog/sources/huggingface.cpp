#include "daemon/catalog/sources/huggingface.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/sources/small_file.hpp"

namespace routerd::sources {
namespace {

constexpr std::string_view folder_prefix = "models--";
constexpr std::string_view snapshots = "/snapshots/";
constexpr std::size_t longest_ref = 256;

/// Where in a hub cache a file lies.
struct HubPath {
    std::string repo_folder;  // absolute
    std::string repo;         // "org/repo"
    std::string revision;
    std::string file;  // inside the revision
};

std::optional<HubPath> hub_path(const std::string& path) {
    const auto cut = path.rfind(snapshots);
    if (cut == std::string::npos) {
        return std::nullopt;
    }
    HubPath hub;
    hub.repo_folder = path.substr(0, cut);
    const auto name = base_name(hub.repo_folder);
    const auto rest = path.substr(cut + snapshots.size());
    const auto slash = rest.find('/');
    if (!name.starts_with(folder_prefix) || slash == std::string::npos) {
        return std::nullopt;
    }
    hub.repo = name.substr(folder_prefix.size());
    // "org--repo" stands for "org/repo"; a repository's own name may hold "--".
    if (const auto dashes = hub.repo.find("--"); dashes != std::string::npos) {
        hub.repo.replace(dashes, 2, "/");
    }
    hub.revision = rest.substr(0, slash);
    hub.file = rest.substr(slash + 1);
    return hub;
}

}  // namespace

std::vector<std::string> huggingface_folders(const Environment& environment) {
    for (const auto& [variable, below] : {std::pair{"HF_HUB_CACHE", ""},
                                          {"HF_HOME", "/hub"},
                                          {"XDG_CACHE_HOME", "/huggingface/hub"}}) {
        const auto found = environment.find(variable);
        if (found != environment.end() && !found->second.empty()) {
            return {expand_home(found->second, environment) + below};
        }
    }
    return {expand_home("~/.cache/huggingface/hub", environment)};
}

void describe_hub_files(std::vector<Candidate>& files) {
    std::map<std::string, std::string> current;                // repo folder → revision
    std::set<std::pair<std::string, std::string>> in_current;  // repo folder, file
    std::vector<std::optional<HubPath>> hubs;
    for (auto& file : files) {
        auto hub = hub_path(file.path);
        if (hub) {
            file.repo = hub->repo;
            file.parent = base_name(hub->repo);
            const auto [entry, is_new] = current.try_emplace(hub->repo_folder);
            if (is_new) {
                const auto ref = read_small_file(hub->repo_folder + "/refs/main", longest_ref);
                entry->second = trim(ref.value_or(""));
            }
            if (entry->second == hub->revision) {
                in_current.emplace(hub->repo_folder, hub->file);
            }
        }
        hubs.push_back(std::move(hub));
    }
    std::size_t index = 0;
    std::erase_if(files, [&](const Candidate&) {
        const auto& hub = hubs[index++];
        return hub && hub->revision != current[hub->repo_folder] &&
               in_current.contains({hub->repo_folder, hub->file});
    });
}

}  // namespace routerd::sources
