#include "daemon/pull/sources/hub_plan.hpp"

#include <algorithm>
#include <utility>

#include "daemon/catalog/file_name.hpp"
#include "daemon/pull/variants.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t most_planned_files = 1000;

/// Where a file of the repository goes, below the repository's own folder: a projector beside its
/// `model`, where there is one.
std::string place_of(const std::string& path, const std::string& model) {
    const auto folder = parent_path(model);
    const bool moves = is_projector_name(path) && !folder.empty();
    return moves ? std::string(folder) + "/" + std::string(base_name(path)) : path;
}

}  // namespace

Result<Plan> plan_of(HubListing listing, const HubAddresses& addresses, const Wanted& wanted) {
    auto& files = listing.files;
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    const auto same = [](const auto& a, const auto& b) { return a.path == b.path; };
    files.erase(std::unique(files.begin(), files.end(), same), files.end());
    const auto choice = choose_files(files, wanted);
    if (!choice) {
        return choice.error();
    }
    if (choice->files.size() > most_planned_files) {
        return Error(Errc::invalid_request,
                     "more than " + std::to_string(most_planned_files) + " files of it are meant");
    }
    Plan plan;
    plan.name = listing.repo;
    plan.name += choice->quantization.empty() ? "" : ":" + choice->quantization;
    // What was named file by file stays where the repository has it.
    const auto& first = choice->files.front().path;
    const bool is_whole = wanted.include.empty() && !is_projector_name(first);
    for (const auto& file : choice->files) {
        RemoteFile remote;
        remote.path = listing.repo + "/" + place_of(file.path, is_whole ? first : std::string());
        remote.url = addresses.file(listing.commit, file.path);
        remote.size = file.size;
        remote.sha256 = file.sha256;
        plan.files.push_back(std::move(remote));
    }
    plan.notes = choice->notes;
    plan.hub = HubRevision{listing.repo, listing.commit};
    return plan;
}

}  // namespace routerd::pull
