#include "daemon/store/state_lock.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

Result<void> make_directory(const std::string& path) {
    std::error_code error;
    const auto parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) {
        std::filesystem::create_directories(parent, error);
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return errno_error("create the state directory '" + path + "'", errno)
            .with_hint("create it for the user of routerd, or set [state] dir");
    }
    return {};
}

/// The pid in the lock file, or what to say without one.
std::string holder(int file) {
    std::array<char, 32> text{};
    const auto size = ::pread(file, text.data(), text.size(), 0);
    const auto pid =
        size > 0 ? trim({text.data(), static_cast<std::size_t>(size)}) : std::string_view();
    return pid.empty() ? "whose pid is not known" : "pid " + escaped(pid);
}

/// The lock counts, not the text: on a full disk the other side just cannot name us.
void write_pid(int file) {
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file, 0) == 0) {
        [[maybe_unused]] const auto written = ::pwrite(file, pid.data(), pid.size(), 0);
    }
}

}  // namespace

Result<StateLock> StateLock::acquire(const std::string& state_dir) {
    const auto made = make_directory(state_dir);
    if (!made) {
        return made.error();
    }
    const std::string path = state_dir + "/state.lock";
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
        return errno_error("open '" + path + "'", errno)
            .with_hint("the state directory must belong to the user of routerd");
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return errno_error("lock '" + path + "'", errno);
        }
        return Error(Errc::conflict, "state directory '" + state_dir +
                                         "' is in use by another routerd (" + holder(file.get()) +
                                         ")")
            .with_hint("stop that one first, or give this one a [state] dir of its own");
    }
    write_pid(file.get());
    return StateLock(std::move(file));
}

Result<StateLock> StateLock::take_over(UniqueFd shared, const std::string& state_dir) {
    struct stat given {};
    struct stat wanted {};
    const std::string path = state_dir + "/state.lock";
    const bool is_same = ::fstat(shared.get(), &given) == 0 && ::stat(path.c_str(), &wanted) == 0 &&
                         given.st_dev == wanted.st_dev && given.st_ino == wanted.st_ino;
    if (!is_same) {
        return Error(Errc::conflict, "the lock that was handed over is not '" + path + "'");
    }
    write_pid(shared.get());
    return StateLock(std::move(shared));
}

Result<UniqueFd> StateLock::share() const {
    UniqueFd copy(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 3));
    return copy ? Result<UniqueFd>(std::move(copy)) : errno_error("share the state lock", errno);
}

}  // namespace routerd
