#include "daemon/transfer/place.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/text.hpp"

namespace routerd::transfer {
namespace {

constexpr mode_t folder_mode = 0755;

Error missed(const std::string& folder) {
    return Error(Errc::not_found, "there is no folder '" + escaped(folder) + "'");
}

/// One folder deeper.
Result<UniqueFd> enter(const UniqueFd& folder, const std::string& name, const std::string& shown,
                       Folders folders) {
    if (folders == Folders::made && ::mkdirat(folder.get(), name.c_str(), folder_mode) != 0 &&
        errno != EEXIST) {
        return path_error("make the folder", shown, errno);
    }
    UniqueFd next(
        ::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
        return errno == ENOENT ? missed(shown) : path_error("open the folder", shown, errno);
    }
    return next;
}

Result<UniqueFd> open_root(const std::string& root, Folders folders) {
    UniqueFd folder(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) {
        return folder;
    }
    if (errno != ENOENT) {
        return path_error("open the folder", root, errno);
    }
    const auto slash = root.find_last_of('/');
    if (folders == Folders::missed || slash == std::string::npos || slash + 1 == root.size()) {
        return missed(root);
    }
    const auto above = open_root(slash == 0 ? "/" : root.substr(0, slash), folders);
    if (!above) {
        return above.error();
    }
    return enter(*above, root.substr(slash + 1), root, folders);
}

}  // namespace

Error in_the_way(const std::string& path) {
    return Error(Errc::conflict,
                 "'" + escaped(path) + "' is in the way, and is no file of a download")
        .with_hint("look what it is, and move it");
}

Error path_error(const std::string& attempt, const std::string& path, int error_number) {
    if (error_number == ELOOP || error_number == ENOTDIR) {
        return in_the_way(path);
    }
    return errno_error(attempt + " '" + escaped(path) + "'", error_number);
}

Result<Place> find_place(const std::string& root, const std::string& path, Folders folders) {
    auto folder = open_root(root, folders);
    const auto parts = split(path, '/');
    auto shown = root;
    for (std::size_t i = 0; folder && i + 1 < parts.size(); ++i) {
        const std::string part(parts[i]);
        shown += "/" + part;
        folder = enter(*folder, part, shown, folders);
    }
    if (!folder) {
        return folder.error();
    }
    return Place{std::move(*folder), std::string(parts.back())};
}

}  // namespace routerd::transfer
