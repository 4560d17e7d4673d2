#include "daemon/catalog/scan.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <tuple>

#include <sys/stat.h>

#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/grouping.hpp"
#include "daemon/catalog/sources/huggingface.hpp"
#include "daemon/catalog/sources/llama_cpp.hpp"
#include "daemon/catalog/sources/lmstudio.hpp"
#include "daemon/catalog/sources/ollama.hpp"
#include "daemon/catalog/walk.hpp"

namespace routerd {
namespace {

/// Gathers candidates from all places.
class Gathering {
  public:
    Gathering(const ScanPlan& plan, Walker& walker) : plan_(plan), walker_(walker) {}

    void configured();
    void place(std::size_t index);

    std::vector<Candidate> files;
    std::vector<BrokenFile> broken;

  private:
    void add_configured(const std::string& id, const std::string& path);
    void store_of_ollama(const Place& place, std::size_t index);
    void watch_until_it_comes(const Place& place) const;

    const ScanPlan& plan_;
    Walker& walker_;
};

void Gathering::configured() {
    for (const auto& [id, path] : plan_.files) {
        const auto split = split_name(base_name(path));
        if (!split) {
            add_configured(id, path);
            continue;
        }
        const std::string folder(parent_path(path));
        constexpr std::uint32_t most_parts = 1000;
        for (std::uint32_t number = 1; number <= std::min(split->count, most_parts); ++number) {
            add_configured(id, folder + '/' + sibling_name(base_name(path), number));
        }
    }
}

void Gathering::add_configured(const std::string& id, const std::string& path) {
    Candidate file;
    file.path = path;
    file.source = Source::config;
    file.config_id = id;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        broken.push_back({path, "[model.\"" + id + "\"] path: " + std::strerror(errno)});
        return;
    }
    if (!S_ISREG(status.st_mode)) {
        broken.push_back({path, "[model.\"" + id + "\"] path: is not a regular file"});
        return;
    }
    file.stamp = stamp_of(status);
    files.push_back(std::move(file));
}

void Gathering::store_of_ollama(const Place& place, std::size_t index) {
    auto store = sources::read_ollama_store(place.path);
    for (auto& file : store.files) {
        file.place = index;
        files.push_back(std::move(file));
    }
    broken.insert(broken.end(), store.broken.begin(), store.broken.end());
    if (plan_.on_folder) {
        std::for_each(store.folders.begin(), store.folders.end(), plan_.on_folder);
    }
}

/// A configured directory that is not there yet: its nearest parent tells when it comes.
void Gathering::watch_until_it_comes(const Place& place) const {
    struct stat status {};
    if (place.source != Source::directory || !plan_.on_folder ||
        ::stat(place.path.c_str(), &status) == 0) {
        return;
    }
    auto folder = parent_path(place.path);
    while (!folder.empty() && ::stat(std::string(folder).c_str(), &status) != 0) {
        folder = parent_path(folder);
    }
    plan_.on_folder(folder.empty() ? std::string("/") : std::string(folder));
}

void Gathering::place(std::size_t index) {
    const auto& place = plan_.places[index];
    watch_until_it_comes(place);
    if (place.source == Source::ollama) {
        return store_of_ollama(place, index + 1);
    }
    std::vector<Candidate> here;
    for (auto& walked : walker_.walk(place.path)) {
        Candidate file;
        file.path = std::move(walked.path);
        file.stamp = walked.stamp;
        file.source = place.source;
        file.place = index + 1;  // configured files come first
        file.linked = walked.linked;
        file.unfinished = walked.unfinished;
        here.push_back(std::move(file));
    }
    if (place.source == Source::llama_cpp) {
        sources::describe_llama_cpp_files(here);
    } else if (place.source == Source::lmstudio) {
        sources::describe_lmstudio_files(place.path, here);
    } else {
        sources::describe_hub_files(here);  // a configured directory may well be a hub cache
    }
    std::move(here.begin(), here.end(), std::back_inserter(files));
}

/// One file that several paths lead to is one candidate: that of the first place, a real path
/// before a link. What the others know of it (repository, aliases) is kept.
std::vector<Candidate> without_doubles(std::vector<Candidate> files) {
    std::stable_sort(files.begin(), files.end(), [](const Candidate& a, const Candidate& b) {
        return std::tie(a.place, a.linked, a.path) < std::tie(b.place, b.linked, b.path);
    });
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> seen;
    std::vector<Candidate> result;
    for (auto& file : files) {
        const auto [at, is_new] =
            seen.try_emplace({file.stamp.device, file.stamp.inode}, result.size());
        if (is_new) {
            result.push_back(std::move(file));
            continue;
        }
        auto& first = result[at->second];
        first.aliases.insert(first.aliases.end(), file.aliases.begin(), file.aliases.end());
        first.repo = first.repo.empty() ? file.repo : first.repo;
        first.projector = first.projector.empty() ? file.projector : first.projector;
    }
    return result;
}

Header header_of(const Candidate& file, const ScanPlan& plan, Headers& headers) {
    if (file.unfinished) {
        Header header;
        header.state = Header::State::writing;
        header.reason = "is still being downloaded";
        return header;
    }
    const bool again = !plan.again.empty() && file.path.starts_with(plan.again);
    return headers.get(file.path, file.stamp, again);
}

std::size_t mixed(std::size_t hash, std::size_t value) noexcept {
    return (hash ^ value) * std::size_t{0x9E3779B97F4A7C15U} + (hash >> 29U);
}

std::size_t fingerprint_of(const Found& found) {
    const std::hash<std::string> hash;
    std::size_t print = found.models.size();
    for (const auto& model : found.models) {
        print = mixed(print, hash(model.id));
        for (const auto& file : model.files) {
            print = mixed(print, hash(file));
        }
        for (const auto& alias : model.aliases) {
            print = mixed(print, hash(alias));
        }
        print = mixed(mixed(print, hash(model.mmproj)), hash(model.repo));
        print = mixed(mixed(print, model.size_bytes), static_cast<std::size_t>(model.modified_ns));
    }
    for (const auto& file : found.broken) {
        print = mixed(mixed(print, hash(file.path)), hash(file.reason));
    }
    return print;
}

}  // namespace

Found scan(const ScanPlan& plan, Headers& headers) {
    std::vector<std::string> roots;
    for (const auto& place : plan.places) {
        roots.push_back(place.path);
    }
    Walker walker(roots, {}, plan.on_folder);
    Gathering gathering(plan, walker);
    gathering.configured();
    for (std::size_t index = 0; index < plan.places.size(); ++index) {
        gathering.place(index);
    }
    std::vector<ReadFile> read;
    for (auto& file : without_doubles(std::move(gathering.files))) {
        auto header = header_of(file, plan, headers);
        read.push_back({std::move(file), std::move(header)});
    }
    auto found = group_files(std::move(read));
    assign_ids(found.models, plan.known);
    const auto& problems = walker.problems();
    found.broken.insert(found.broken.end(), gathering.broken.begin(), gathering.broken.end());
    found.broken.insert(found.broken.end(), problems.begin(), problems.end());
    std::sort(found.broken.begin(), found.broken.end(),
              [](const BrokenFile& a, const BrokenFile& b) { return a.path < b.path; });
    found.fingerprint = fingerprint_of(found);
    return found;
}

}  // namespace routerd
