#include "daemon/pull/removal.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/transfer/place.hpp"

namespace routerd::pull {
namespace {

using transfer::find_place;
using transfer::Folders;
using transfer::path_error;

constexpr std::string_view snapshots = "/snapshots/";
constexpr std::string_view hub_folder_prefix = "models--";

bool contains(const std::vector<std::string>& texts, const std::string& text) {
    return std::ranges::find(texts, text) != texts.end();
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// Errors: not_found, unavailable.
Result<std::string> real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                           &std::free);
    if (real) {
        return std::string(real.get());
    }
    return errno == ENOENT || errno == ENOTDIR
               ? Error(Errc::not_found, "there is no '" + escaped(path) + "'")
               : errno_error("look for '" + escaped(path) + "'", errno);
}

Error is_outside(const std::string& file, const std::string& dir) {
    return Error(Errc::forbidden, "'" + escaped(file) + "' is outside '" + escaped(dir) +
                                      "', the directory of downloads; nothing was removed")
        .with_hint("with --force it is removed all the same");
}

/// The folder of the repository, for a file in a snapshot of a hub's cache; else empty.
std::string hub_folder_of(const std::string& path) {
    const auto cut = path.rfind(snapshots);
    auto folder = cut == std::string::npos ? std::string() : path.substr(0, cut);
    return base_name(folder).starts_with(hub_folder_prefix) ? folder : std::string();
}

/// Of a cache's file its empty folders go too, of other programs' files no folder.
Doomed aim_outside(const std::string& file) {
    const auto hub = hub_folder_of(file);
    if (!hub.empty()) {
        const auto root = hub + "/snapshots";
        const auto path = file.substr(root.size() + 1);
        if (find_place(root, path, Folders::missed)) {
            return {root, path, file};
        }
    }
    return {folder_of(file), std::string(base_name(file)), file};
}

/// nullopt: it is not there.
Result<std::optional<Doomed>> aim_at(const std::string& dir, const std::string& file,
                                     Outside outside) {
    const auto folder = real_path(folder_of(file));
    struct stat status {};
    if (!folder) {
        return folder.error().code() == Errc::not_found
                   ? Result<std::optional<Doomed>>(std::optional<Doomed>())
                   : Result<std::optional<Doomed>>(folder.error());
    }
    if (::lstat(file.c_str(), &status) != 0 && errno == ENOENT) {
        return std::optional<Doomed>();
    }
    const auto root = real_path(dir);
    const auto real = (*folder == "/" ? "" : *folder) + "/" + std::string(base_name(file));
    if (root && real.starts_with(*root + "/")) {
        return std::optional(Doomed{*root, real.substr(root->size() + 1), file});
    }
    if (outside == Outside::refused) {
        return is_outside(file, dir);
    }
    return std::optional(aim_outside(file));
}

struct Unlinked {
    std::uint64_t bytes = 0;
    std::string leads_to;  ///< of a link
};

/// nullopt: it is not there.
Result<std::optional<Unlinked>> unlink_one(const Doomed& file) {
    const auto place = find_place(file.root, file.path, Folders::missed);
    if (!place) {
        return place.error().code() == Errc::not_found
                   ? Result<std::optional<Unlinked>>(std::optional<Unlinked>())
                   : Result<std::optional<Unlinked>>(place.error());
    }
    const auto* name = place->name.c_str();
    struct stat status {};
    if (::fstatat(place->folder.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT
                   ? Result<std::optional<Unlinked>>(std::optional<Unlinked>())
                   : Result<std::optional<Unlinked>>(path_error("look at", file.shown, errno));
    }
    Unlinked gone;
    if (S_ISLNK(status.st_mode)) {
        std::string target(PATH_MAX, '\0');
        const auto length = ::readlinkat(place->folder.get(), name, target.data(), target.size());
        gone.leads_to = target.substr(0, length < 0 ? 0 : static_cast<std::size_t>(length));
    } else if (!S_ISREG(status.st_mode)) {
        return transfer::in_the_way(file.shown);
    } else if (status.st_nlink == 1) {
        gone.bytes = static_cast<std::uint64_t>(status.st_size);
    }
    if (::unlinkat(place->folder.get(), name, 0) != 0) {
        return errno == ENOENT
                   ? Result<std::optional<Unlinked>>(std::optional<Unlinked>())
                   : Result<std::optional<Unlinked>>(path_error("remove", file.shown, errno));
    }
    return std::optional(std::move(gone));
}

/// Up to the first that holds something still, and never the root.
void remove_empty_folders(const Doomed& file) {
    auto path = file.path;
    while (path.find('/') != std::string::npos) {
        path = folder_of(path);
        const auto place = find_place(file.root, path, Folders::missed);
        if (!place || ::unlinkat(place->folder.get(), place->name.c_str(), AT_REMOVEDIR) != 0) {
            return;
        }
    }
}

std::string target_of(const std::filesystem::path& link, const std::string& leads_to) {
    return (link.parent_path() / leads_to).lexically_normal().string();
}

/// Where that cannot be told, there is one.
bool has_link_to(const std::string& hub_folder, const std::string& blob) {
    namespace fs = std::filesystem;
    std::error_code failed;
    fs::recursive_directory_iterator entry(hub_folder + "/snapshots", failed);
    if (failed == std::errc::no_such_file_or_directory) {
        return false;
    }
    for (const fs::recursive_directory_iterator end; !failed && entry != end;
         entry.increment(failed)) {
        std::error_code unread;
        const auto leads_to = fs::read_symlink(entry->path(), unread);
        if (!unread && target_of(entry->path(), leads_to.string()) == blob) {
            return true;
        }
    }
    return static_cast<bool>(failed);
}

/// By what they are, for a path can be written in several ways.
bool is_one_of(const std::vector<std::string>& files, const std::string& path) {
    std::error_code unread;
    return std::ranges::any_of(files, [&](const std::string& file) {
        return file == path || std::filesystem::equivalent(file, path, unread);
    });
}

/// What the link led to, when nothing else does.
std::optional<Doomed> blob_of(const std::string& link, const std::string& leads_to,
                              const std::vector<std::string>& wanted) {
    const auto hub = hub_folder_of(link);
    if (hub.empty() || leads_to.empty()) {
        return std::nullopt;
    }
    const auto blob = target_of(link, leads_to);
    const std::string name(base_name(blob));
    if (blob != hub + "/blobs/" + name || name.empty() || is_one_of(wanted, blob) ||
        has_link_to(hub, blob)) {
        return std::nullopt;
    }
    return Doomed{hub, "blobs/" + name, blob};
}

}  // namespace

Result<std::vector<std::string>> files_of(const Snapshot& snapshot, const Model& model) {
    if (model.source == Source::ollama) {
        return Error(Errc::forbidden, "'" + model.id +
                                          "' is in a store of Ollama's, where models "
                                          "share their files; nothing was removed")
            .with_hint("remove it with: ollama rm");
    }
    if (model.source == Source::remote) {
        return Error(Errc::conflict,
                     "'" + model.id + "' is on a server elsewhere: there is no file to remove")
            .with_hint("take [model.\"" + model.id +
                       "\"] out of the configuration, then routerctl config reload");
    }
    auto files = model.files;
    bool shares_projector = model.mmproj.empty() || contains(files, model.mmproj);
    for (const auto& other : snapshot.models) {
        if (other->id == model.id) {
            continue;
        }
        for (const auto& file : other->files) {
            if (contains(files, file)) {
                return Error(Errc::conflict, "'" + escaped(file) + "' is the file of '" +
                                                 other->id + "' too; nothing was removed")
                    .with_hint("see where that is from: routerctl show " + other->id);
            }
            shares_projector = shares_projector || file == model.mmproj;
        }
        shares_projector = shares_projector || other->mmproj == model.mmproj;
    }
    if (!shares_projector) {
        files.push_back(model.mmproj);
    }
    return files;
}

Result<std::vector<Doomed>> take_aim(const std::string& dir, const std::vector<std::string>& files,
                                     Outside outside) {
    std::vector<Doomed> doomed;
    for (const auto& file : files) {
        auto found = aim_at(dir, file, outside);
        if (!found) {
            return found.error();
        }
        if (*found) {
            doomed.push_back(std::move(**found));
        }
    }
    return doomed;
}

Result<std::vector<RemovedFile>> remove_all(const std::vector<Doomed>& doomed,
                                            const std::vector<std::string>& wanted) {
    std::vector<RemovedFile> removed;
    for (const auto& file : doomed) {
        const auto gone = unlink_one(file);
        if (!gone) {
            return gone.error();
        }
        if (!*gone) {
            continue;
        }
        removed.push_back({file.shown, (*gone)->bytes});
        const auto blob = blob_of(file.shown, (*gone)->leads_to, wanted);
        const auto blob_gone =
            blob ? unlink_one(*blob) : Result<std::optional<Unlinked>>(std::optional<Unlinked>());
        if (!blob_gone) {
            return blob_gone.error();
        }
        if (*blob_gone) {
            removed.push_back({blob->shown, (*blob_gone)->bytes});
        }
        remove_empty_folders(file);
    }
    return removed;
}

}  // namespace routerd::pull
