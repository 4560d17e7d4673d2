#include "daemon/transfer/whole_file.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/transfer/part_file.hpp"
#include "daemon/transfer/sha256.hpp"

namespace routerd::transfer {
namespace {

constexpr std::size_t at_once = std::size_t{1} << 20U;

/// Below the root and through no link.
UniqueFd open_below(const std::string& root, const std::string& path) {
    const UniqueFd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return {};
    }
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return UniqueFd(
        static_cast<int>(::syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof(how))));
}

/// Reads from the start to the end; `take` says whether to go on.
Result<void> read_all(int file, const std::string& shown,
                      const std::function<Result<void>(std::span<const char>)>& take) {
    std::vector<char> buffer(at_once);
    while (true) {
        const auto count = ::read(file, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return errno_error("read " + in_quotes(shown), errno);
        }
        if (count == 0) {
            return {};
        }
        const auto taken = take({buffer.data(), static_cast<std::size_t>(count)});
        if (!taken) {
            return taken;
        }
    }
}

Result<std::uint64_t> plain_size(int file, const std::string& shown) {
    struct stat status {};
    if (::fstat(file, &status) != 0) {
        return errno_error("look at " + in_quotes(shown), errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return Error(Errc::conflict, in_quotes(shown) + " is in the way, and is no file");
    }
    return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Result<std::optional<WholeFile>> look_at(const std::string& root, const std::string& path,
                                         WithDigest digest) {
    const auto shown = root + "/" + path;
    const auto file = open_below(root, path);
    if (!file) {
        if (errno == ENOENT) {
            return std::optional<WholeFile>();
        }
        if (errno == ELOOP || errno == ENOTDIR || errno == EXDEV) {
            return Error(Errc::conflict, in_quotes(shown) + " is in the way, and is a link")
                .with_hint("look what it is, and move it");
        }
        return errno_error("open " + in_quotes(shown), errno);
    }
    const auto size = plain_size(file.get(), shown);
    if (!size) {
        return size.error();
    }
    WholeFile found{*size, ""};
    if (digest == WithDigest::yes) {
        Sha256 sha256;
        const auto read = read_all(file.get(), shown, [&sha256](std::span<const char> bytes) {
            sha256.update(bytes);
            return Result<void>();
        });
        if (!read) {
            return read.error();
        }
        found.sha256 = sha256.finish();
    }
    return std::optional(found);
}

Result<WholeFile> copy_to_part(const std::string& source, const std::string& root,
                               const std::string& path,
                               const std::function<bool(std::uint64_t)>& told) {
    const UniqueFd from(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!from) {
        return errno == ENOENT ? Error(Errc::not_found, "there is no " + in_quotes(source))
                               : errno_error("open " + in_quotes(source), errno);
    }
    const auto size = plain_size(from.get(), source);
    if (!size) {
        return size.error();
    }
    const auto room = expect_room(root, *size);
    if (!room) {
        return room.error();
    }
    auto part = PartFile::open(root, path, PartFile::Begin::fresh);
    if (!part) {
        return part.error();
    }
    const bool shares = part->share_blocks_of(from.get());
    Sha256 sha256;
    std::uint64_t done = 0;
    const auto copied = read_all(from.get(), source, [&](std::span<const char> bytes) {
        constexpr std::string_view magic = "GGUF";
        if (done == 0 && !std::string_view(bytes.data(), bytes.size()).starts_with(magic)) {
            return Result<void>(
                Error(Errc::invalid_request, in_quotes(source) + " is no GGUF file"));
        }
        auto written = shares ? Result<void>() : part->write(done, bytes);
        sha256.update(bytes);
        done += bytes.size();
        if (written && !told(done)) {
            written = Result<void>(Error(Errc::cancelled, "stopped"));
        }
        return written;
    });
    if (!copied) {
        return copied.error();
    }
    if (done == 0) {
        return Error(Errc::invalid_request, in_quotes(source) + " is empty");
    }
    return WholeFile{done, sha256.finish()};
}

}  // namespace routerd::transfer
