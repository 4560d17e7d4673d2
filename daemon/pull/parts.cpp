// What takes away of the parts of downloads; see removal.hpp.
#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/pull/removal.hpp"
#include "daemon/transfer/part_file.hpp"
#include "daemon/transfer/place.hpp"

namespace routerd::pull {
namespace {

using transfer::Folders;
using transfer::path_error;

constexpr int deepest = 32;  // folders below the root

struct CloseFolder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

using Identity = std::pair<dev_t, ino_t>;

/// The parts of files: by path, and by what they are, for a path can be written in several ways.
class KnownParts {
  public:
    explicit KnownParts(const std::vector<std::string>& files) {
        for (const auto& file : files) {
            auto path = transfer::part_path(file);
            struct stat status {};
            if (::lstat(path.c_str(), &status) == 0) {
                files_.emplace(status.st_dev, status.st_ino);
            }
            paths_.insert(std::move(path));
        }
    }

    bool has(const std::string& path, const struct stat& status) const {
        return paths_.contains(path) || files_.contains({status.st_dev, status.st_ino});
    }

  private:
    std::set<std::string> paths_;
    std::set<Identity> files_;
};

/// Looks through folders; none is entered through a link.
class Search {
  public:
    Search(const std::string& root, const KnownParts& wanted) : root_(root), wanted_(wanted) {}

    std::vector<Part> take() {
        std::ranges::sort(parts_, {}, [](const Part& part) { return part.file.path; });
        return std::move(parts_);
    }

    /// What it may not read is left out.
    void look_into(UniqueFd folder, const std::string& path, int depth) {
        DIR* const stream = ::fdopendir(folder.get());
        if (stream == nullptr) {
            return;
        }
        folder.release();
        const OpenFolder open(stream);
        const int fd = ::dirfd(stream);
        while (const dirent* entry = ::readdir(stream)) {  // NOLINT(concurrency-mt-unsafe): own DIR
            const std::string name(entry->d_name);
            if (name.front() != '.') {
                look_at(fd, name, path.empty() ? name : path + '/' + name, depth);
            }
        }
    }

  private:
    /// `path` is where `name` of the folder is.
    void look_at(int folder, const std::string& name, const std::string& path, int depth) {
        struct stat status {};
        if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
            return;
        }
        if (S_ISREG(status.st_mode) && name.ends_with(".part")) {
            add(path, status);
        } else if (S_ISDIR(status.st_mode) && depth < deepest) {
            UniqueFd next(
                ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (next) {
                look_into(std::move(next), path, depth + 1);
            }
        }
    }

    void add(const std::string& path, const struct stat& status) {
        const auto shown = root_ + "/" + path;
        if (!wanted_.has(shown, status)) {
            parts_.push_back({{root_, path, shown}, static_cast<std::uint64_t>(status.st_size)});
        }
    }

    const std::string& root_;
    const KnownParts& wanted_;
    std::vector<Part> parts_;
};

/// Nothing when it is not there any more, or wanted.
Result<std::optional<RemovedFile>> remove_one_part(const Doomed& file, const KnownParts& wanted) {
    using Outcome = Result<std::optional<RemovedFile>>;
    const auto place = transfer::find_place(file.root, file.path, Folders::missed);
    if (!place) {
        return place.error().code() == Errc::not_found ? Outcome(std::nullopt)
                                                       : Outcome(place.error());
    }
    struct stat status {};
    const auto* name = place->name.c_str();
    if (::fstatat(place->folder.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? Outcome(std::nullopt)
                               : Outcome(path_error("look at", file.shown, errno));
    }
    if (!S_ISREG(status.st_mode) || wanted.has(file.shown, status)) {
        return std::optional<RemovedFile>();
    }
    if (::unlinkat(place->folder.get(), name, 0) != 0) {
        return errno == ENOENT ? Outcome(std::nullopt)
                               : Outcome(path_error("remove", file.shown, errno));
    }
    return std::optional(RemovedFile{
        file.shown, static_cast<std::uint64_t>(status.st_nlink == 1 ? status.st_size : 0)});
}

}  // namespace

Result<std::vector<Part>> find_parts(const std::string& dir,
                                     const std::vector<std::string>& wanted) {
    UniqueFd root(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) {
        return errno == ENOENT ? Result<std::vector<Part>>(std::vector<Part>())
                               : path_error("open the folder", dir, errno);
    }
    const KnownParts known(wanted);
    Search search(dir, known);
    search.look_into(std::move(root), "", 0);
    return search.take();
}

std::vector<Part> parts_of(const std::vector<Doomed>& files) {
    std::vector<Part> parts;
    for (const auto& file : files) {
        const auto shown = transfer::part_path(file.shown);
        struct stat status {};
        if (::lstat(shown.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            parts.push_back({{file.root, transfer::part_path(file.path), shown},
                             static_cast<std::uint64_t>(status.st_size)});
        }
    }
    return parts;
}

Result<std::vector<RemovedFile>> remove_parts(const std::vector<Part>& parts,
                                              const std::vector<std::string>& wanted) {
    const KnownParts known(wanted);
    std::vector<RemovedFile> removed;
    for (const auto& part : parts) {
        auto gone = remove_one_part(part.file, known);
        if (!gone) {
            return gone.error();
        }
        if (*gone) {
            removed.push_back(std::move(**gone));
        }
    }
    return removed;
}

}  // namespace routerd::pull
