#include "daemon/catalog/walk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/catalog/file_name.hpp"

namespace routerd {
namespace {

constexpr std::string_view aria2_companion = ".aria2";

struct CloseFolder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

/// Empty when it leads nowhere.
std::string resolved(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                           &std::free);
    return real ? std::string(real.get()) : std::string();
}

OpenFolder open_folder(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
    DIR* folder = fd ? ::fdopendir(fd.get()) : nullptr;
    if (folder != nullptr) {
        fd.release();
    }
    return OpenFolder(folder);
}

std::string joined(const std::string& folder, std::string_view name) {
    std::string path = folder;
    if (path.empty() || path.back() != '/') {
        path += '/';
    }
    return path.append(name);
}

}  // namespace

struct Walker::Entry {
    std::string_view name;
    unsigned char type;  // DT_…
};

Walker::Walker(const std::vector<std::string>& roots, WalkLimits limits,
               std::function<void(const std::string&)> on_folder)
    : limits_(limits), on_folder_(std::move(on_folder)) {
    for (const auto& root : roots) {
        if (auto real = resolved(root); !real.empty()) {
            roots_.push_back(std::move(real));
        }
    }
}

std::vector<WalkedFile> Walker::walk(const std::string& root) {
    files_.clear();
    waiting_.push_back({root, 0});
    while (!waiting_.empty()) {
        const auto folder = std::move(waiting_.back());
        waiting_.pop_back();
        read_folder(folder);
    }
    std::sort(files_.begin(), files_.end(),
              [](const WalkedFile& a, const WalkedFile& b) { return a.path < b.path; });
    return std::move(files_);
}

bool Walker::is_inside(const std::string& path) const {
    const auto real = resolved(path);
    return std::any_of(roots_.begin(), roots_.end(), [&real](const std::string& root) {
        return real == root || real.starts_with(joined(root, ""));
    });
}

void Walker::read_folder(const Folder& folder) {
    const auto open = open_folder(folder.path);
    if (!open) {
        if (errno != ENOENT && errno != ENOTDIR) {
            complain(folder.path, std::string("cannot be read: ") + std::strerror(errno));
        }
        return;
    }
    const int fd = ::dirfd(open.get());
    struct stat status {};
    if (::fstat(fd, &status) != 0 || !entered_.emplace(status.st_dev, status.st_ino).second) {
        return;
    }
    if (on_folder_) {
        on_folder_(folder.path);  // before reading, so that nothing slips between the two
    }
    const auto first = files_.size();
    std::vector<std::string> companions;
    while (const dirent* found = ::readdir(open.get())) {  // NOLINT(concurrency-mt-unsafe): own DIR
        const Entry entry{found->d_name, found->d_type};
        if (entry.name.ends_with(aria2_companion)) {
            companions.emplace_back(
                entry.name.substr(0, entry.name.size() - aria2_companion.size()));
        }
        if (entry.name.front() != '.') {
            look_at(fd, folder, entry);
        }
    }
    mark_unfinished(first, companions);
}

void Walker::look_at(int folder_fd, const Folder& folder, const Entry& entry) {
    const bool is_gguf = is_gguf_name(entry.name) && !is_unfinished_name(entry.name);
    const bool may_be_folder =
        entry.type == DT_DIR || entry.type == DT_LNK || entry.type == DT_UNKNOWN;
    if (!is_gguf && !may_be_folder) {
        return;
    }
    auto path = joined(folder.path, entry.name);
    struct stat status {};
    if (entry.type != DT_DIR && ::fstatat(folder_fd, path.c_str() + path.size() - entry.name.size(),
                                          &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return;
    }
    if (entry.type == DT_DIR || S_ISDIR(status.st_mode)) {
        if (folder.depth >= limits_.depth) {
            complain(path, "lies more than " + std::to_string(limits_.depth) +
                               " folders deep and was not searched");
            return;
        }
        waiting_.push_back({std::move(path), folder.depth + 1});
    } else if (S_ISLNK(status.st_mode)) {
        follow(path, is_gguf);
    } else if (is_gguf && S_ISREG(status.st_mode) && files_.size() < limits_.files) {
        files_.push_back({std::move(path), stamp_of(status), false, false});
    }
}

/// A link: a file inside the roots counts, a folder inside them is found by itself.
void Walker::follow(const std::string& path, bool is_gguf) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        if (is_gguf) {
            complain(path, std::string("is a link that leads nowhere: ") + std::strerror(errno));
        }
        return;
    }
    const bool is_file = is_gguf && S_ISREG(status.st_mode);
    if (!is_file && !S_ISDIR(status.st_mode)) {
        return;
    }
    if (!is_inside(path)) {
        complain(path, "is a link to '" + escaped(resolved(path)) +
                           "', outside the model directories: add that directory to [models] dirs");
        return;
    }
    if (is_file && files_.size() < limits_.files) {
        files_.push_back({path, stamp_of(status), true, false});
    }
}

void Walker::mark_unfinished(std::size_t first, const std::vector<std::string>& companions) {
    for (std::size_t i = first; i < files_.size() && !companions.empty(); ++i) {
        const auto name = base_name(files_[i].path);
        files_[i].unfinished =
            std::find(companions.begin(), companions.end(), name) != companions.end();
    }
}

void Walker::complain(const std::string& path, std::string reason) {
    constexpr std::size_t most_problems = 1000;
    if (problems_.size() < most_problems) {
        problems_.push_back({path, std::move(reason)});
    }
}

}  // namespace routerd
