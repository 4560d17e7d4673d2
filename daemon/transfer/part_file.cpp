#include "daemon/transfer/part_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <string_view>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/transfer/place.hpp"

namespace routerd::transfer {
namespace {

constexpr std::string_view suffix = ".part";
constexpr std::string_view disk_full = "No space left on device";
constexpr mode_t file_mode = 0644;

/// A name that is longer with the suffix than the system allows is cut; nothing else ends so.
std::string part_name(const std::string& name) {
    constexpr std::size_t longest = 255;
    return name.substr(0, longest - suffix.size()) + std::string(suffix);
}

Result<void> expect_plain_file(int file, const std::string& shown) {
    struct stat status {};
    if (::fstat(file, &status) != 0) {
        return path_error("look at", shown, errno);
    }
    return S_ISREG(status.st_mode) && status.st_nlink == 1 ? Result<void>()
                                                           : Result<void>(in_the_way(shown));
}

/// A plain file may go; anything else under that name was not put there by us.
Result<void> clear(const Place& place, const std::string& shown) {
    const auto name = part_name(place.name);
    struct stat status {};
    if (::fstatat(place.folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? Result<void>() : Result<void>(path_error("look at", shown, errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return in_the_way(shown);
    }
    if (::unlinkat(place.folder.get(), name.c_str(), 0) != 0) {
        return path_error("remove", shown, errno);
    }
    return {};
}

/// The very same file, whatever has its name by now.
UniqueFd open_direct(int file) {
    const auto link = "/proc/self/fd/" + std::to_string(file);
    return UniqueFd(::open(link.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
}

bool is_aligned(const iovec& piece) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): where it lies is the question
    return reinterpret_cast<std::uintptr_t>(piece.iov_base) % PartFile::alignment == 0 &&
           piece.iov_len % PartFile::alignment == 0;
}

/// How many of the first pieces can be written in one call and one way.
std::size_t alike(std::span<const iovec> pieces) {
    const auto other = std::ranges::find_if(pieces, [&pieces](const iovec& piece) {
        return is_aligned(piece) != is_aligned(pieces.front());
    });
    return std::min<std::size_t>(static_cast<std::size_t>(other - pieces.begin()), IOV_MAX);
}

}  // namespace

PartFile::PartFile(UniqueFd folder, UniqueFd file, std::string name, std::string shown)
    : folder_(std::move(folder)),
      file_(std::move(file)),
      direct_(open_direct(file_.get())),
      name_(std::move(name)),
      shown_(std::move(shown)) {}

Result<PartFile> PartFile::open(const std::string& root, const std::string& path, Begin begin) {
    auto place = find_place(root, path, Folders::made);
    if (!place) {
        return place.error();
    }
    const auto shown = root + "/" + path + std::string(suffix);
    int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
    if (begin == Begin::fresh) {
        const auto cleared = clear(*place, shown);
        if (!cleared) {
            return cleared.error();
        }
        flags |= O_CREAT | O_EXCL;
    }
    UniqueFd file(::openat(place->folder.get(), part_name(place->name).c_str(), flags, file_mode));
    if (!file) {
        return errno == ENOENT ? Error(Errc::not_found, "there is no " + in_quotes(shown))
                               : path_error("open", shown, errno);
    }
    const auto plain = expect_plain_file(file.get(), shown);
    if (!plain) {
        return plain.error();
    }
    return PartFile(std::move(place->folder), std::move(file), std::move(place->name), shown);
}

Result<void> PartFile::allocate(std::uint64_t size) {
    const auto length = static_cast<off_t>(size);
    if (::fallocate(file_.get(), 0, 0, length) == 0) {
        return {};
    }
    // Not every file system can; a sparse file will do then.
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
        return path_error("make room for", shown_, errno);
    }
    if (::ftruncate(file_.get(), length) != 0) {
        return path_error("make room for", shown_, errno);
    }
    return {};
}

Result<void> PartFile::write(std::uint64_t offset, std::span<const char> bytes) {
    while (!bytes.empty()) {
        const auto done =
            ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return path_error("write", shown_, errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
    return {};
}

int PartFile::best_file(std::uint64_t offset, std::span<const iovec> pieces) const {
    return direct_ && offset % alignment == 0 && is_aligned(pieces.front()) ? direct_.get()
                                                                            : file_.get();
}

Result<void> PartFile::write(std::uint64_t offset, std::span<iovec> pieces) {
    while (!pieces.empty()) {
        const auto count = static_cast<int>(alike(pieces));
        const auto file = best_file(offset, pieces);
        const auto done = ::pwritev(file, pieces.data(), count, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0 && errno == EINVAL && file != file_.get()) {
            direct_ = UniqueFd();  // it was opened, and wants more than that alignment all the same
            continue;
        }
        if (done < 0) {
            return path_error("write", shown_, errno);
        }
        offset += static_cast<std::uint64_t>(done);
        auto left = static_cast<std::size_t>(done);
        while (!pieces.empty() && left >= pieces.front().iov_len) {
            left -= pieces.front().iov_len;
            pieces = pieces.subspan(1);
        }
        if (!pieces.empty()) {
            pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + left;
            pieces.front().iov_len -= left;
        }
    }
    return {};
}

Result<void> PartFile::read(std::uint64_t offset, std::span<char> bytes) const {
    while (!bytes.empty()) {
        const auto done =
            ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? path_error("read", shown_, errno)
                            : Error(Errc::unavailable, in_quotes(shown_) + " ends too early");
        }
        bytes = bytes.subspan(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
    return {};
}

bool PartFile::share_blocks_of(int source) {
    return ::ioctl(file_.get(), FICLONE, source) == 0;
}

Result<void> PartFile::sync() {
    if (::fdatasync(file_.get()) != 0) {
        return path_error("sync", shown_, errno);
    }
    return {};
}

Result<void> PartFile::publish(std::uint64_t size) {
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0 || ::fsync(file_.get()) != 0) {
        return path_error("finish", shown_, errno);
    }
    const auto from = part_name(name_);
    const auto shown = shown_.substr(0, shown_.size() - suffix.size());
    if (::renameat2(folder_.get(), from.c_str(), folder_.get(), name_.c_str(), RENAME_NOREPLACE) !=
        0) {
        if (errno != EEXIST) {
            return path_error("give its name to", shown_, errno);
        }
        return Error(Errc::conflict, in_quotes(shown) +
                                         " is there already; what was fetched stays in " +
                                         in_quotes(shown_))
            .with_hint("move the other file, then 'routerctl pulls resume' it");
    }
    if (::fsync(folder_.get()) != 0) {
        return path_error("sync the folder of", shown, errno);
    }
    return {};
}

std::uint64_t PartFile::size() const {
    struct stat status {};
    return ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Result<void> remove_part(const std::string& root, const std::string& path) {
    const auto place = find_place(root, path, Folders::missed);
    if (!place) {
        return place.error().code() == Errc::not_found ? Result<void>()
                                                       : Result<void>(place.error());
    }
    return clear(*place, root + "/" + path + std::string(suffix));
}

std::string part_path(const std::string& path) {
    const auto name = path.rfind('/') + 1;  // 0 where there is none
    return path.substr(0, name) + part_name(path.substr(name));
}

std::uint64_t held_bytes(const std::string& path) {
    constexpr std::uint64_t block = 512;  // of st_blocks
    for (const auto& name : {path, part_path(path)}) {
        struct stat status {};
        if (::lstat(name.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            return static_cast<std::uint64_t>(status.st_blocks) * block;
        }
    }
    return 0;
}

Result<std::uint64_t> free_bytes(const std::string& folder) {
    auto nearest = folder;
    struct statvfs status {};
    while (::statvfs(nearest.c_str(), &status) != 0) {
        const auto slash = nearest.find_last_of('/');
        if (errno != ENOENT || slash == std::string::npos || nearest == "/") {
            return path_error("ask how full the disk is of", folder, errno);
        }
        nearest = slash == 0 ? "/" : nearest.substr(0, slash);
    }
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<void> expect_room(const std::string& folder, std::uint64_t coming) {
    constexpr std::uint64_t reserve_part = 20;
    const auto free = free_bytes(folder);
    if (!free) {
        return free.error();
    }
    if (coming + coming / reserve_part > *free) {
        return Error(Errc::would_not_fit, "the disk has no room: it needs " + format_bytes(coming) +
                                              " in '" + escaped(folder) + "', where " +
                                              format_bytes(*free) + " are free")
            .with_hint("free some room, or set [pull] dir");
    }
    return {};
}

bool is_disk_full(const Error& error) {
    return error.message().ends_with(disk_full) || error.message().ends_with("Disk quota exceeded");
}

}  // namespace routerd::transfer
