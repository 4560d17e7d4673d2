#include "daemon/gguf/reader.hpp"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/gguf/fields.hpp"
#include "daemon/gguf/input.hpp"
#include "daemon/gguf/tensors.hpp"

namespace routerd::gguf {
namespace {

constexpr std::uint32_t magic = 0x46554747;            // "GGUF"
constexpr std::uint64_t least_pair_bytes = 8 + 4 + 1;  // key of no byte, type, smallest value
constexpr std::uint64_t least_tensor_bytes = 8 + 4 + 4 + 8;

void check_version(Input& input, std::uint32_t version) {
    if (version == 2 || version == 3) {
        return;
    }
    if (version == 1) {
        input.fail(Errc::invalid_request,
                   "GGUF version 1 is no longer read by anything: convert it again");
    } else if (version != 0 && (version & 0xFFFFU) == 0) {
        input.fail(Errc::invalid_request, "it is a big-endian file, for other machines than this");
    } else {
        input.fail(Errc::invalid_request,
                   "GGUF version " + std::to_string(version) + ", where 2 and 3 are known");
    }
}

void check_magic(Input& input) {
    const auto found = input.number<std::uint32_t>();
    if (input.ok() && found != magic) {
        input.fail(Errc::invalid_request, "it is not a GGUF file (other first bytes)");
    }
}

void check_count(Input& input, const char* what, std::uint64_t count, std::uint64_t least_bytes) {
    if (input.ok() && count > input.remaining() / least_bytes) {
        input.fail(Errc::invalid_request, "it says it has " + std::to_string(count) + ' ' + what +
                                              ", more than fit in it");
    }
}

Metadata parse(Input& input, const Limits& limits) {
    Metadata metadata;
    check_magic(input);
    metadata.version = input.number<std::uint32_t>();
    if (input.ok()) {
        check_version(input, metadata.version);
    }
    const auto tensors = input.number<std::uint64_t>();
    const auto pairs = input.number<std::uint64_t>();
    check_count(input, "metadata entries", pairs, least_pair_bytes);
    check_count(input, "tensors", tensors, least_tensor_bytes);

    Fields fields(limits);
    for (std::uint64_t i = 0; i < pairs && input.ok(); ++i) {
        fields.read_pair(input);
    }
    fields.finish(input, metadata);
    read_tensors(input, tensors, fields.alignment(), metadata);
    return metadata;
}

bool same_state(const struct stat& a, const struct stat& b) noexcept {
    return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
           a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

Result<Metadata> read_fd(int fd, const Limits& limits) {
    struct stat before {};
    struct stat after {};
    if (::fstat(fd, &before) != 0) {
        return errno_error("look at it", errno);
    }
    if (!S_ISREG(before.st_mode)) {
        return Error(Errc::invalid_request, "it is not a regular file");
    }
    Input input(fd, static_cast<std::uint64_t>(before.st_size), limits);
    auto metadata = parse(input, limits);
    if (::fstat(fd, &after) != 0) {
        return errno_error("look at it", errno);
    }
    if (!same_state(before, after)) {
        return Error(Errc::unavailable, "it changed while it was read");
    }
    if (!input.ok()) {
        return input.error();
    }
    return metadata;
}

Result<Metadata> read_file(const std::string& path, const Limits& limits) {
    // O_NONBLOCK: opening a FIFO or a device must not wait.
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (!fd && errno == ENOENT) {
        return Error(Errc::not_found, "open '" + escaped(path) + "': no such file");
    }
    if (!fd) {
        return errno_error("open '" + escaped(path) + "'", errno);
    }
    return read_fd(fd.get(), limits);
}

}  // namespace routerd::gguf
