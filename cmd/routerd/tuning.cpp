#include "cmd/routerd/tuning.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.hpp"

namespace routerd {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_glibc_malloc = false;  // a sanitizer's
#else
constexpr bool is_glibc_malloc = true;
#endif

constexpr int huge_page = 2 << 20;  // bytes, on x86-64 and with small pages of 4 KiB on arm64

/// Before the constructors of libraries, which allocate: the heap then begins with a huge page, and
/// each of its pieces is a whole one.
void begin_with_huge_page() noexcept {
    const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
    ::sbrk(static_cast<std::intptr_t>(-end % huge_page));
}

#if defined(__GLIBC__)
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const before_libraries)() = is_glibc_malloc ? &begin_with_huge_page : [] {};
#endif

}  // namespace

// NOLINTBEGIN(concurrency-mt-unsafe): there is no other thread yet.

void keep_heap_grown() noexcept {
    ::mallopt(M_MMAP_THRESHOLD, 4 << 20);
    ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

void keep_blocks_at_hand(char** argv) noexcept {
    constexpr const char* variable = "GLIBC_TUNABLES";
    constexpr const char* wanted = "glibc.malloc.tcache_count=500:glibc.malloc.hugetlb=1";
    if (!is_glibc_malloc) {
        return;
    }
    if (const char* found = std::getenv(variable); found != nullptr) {
        if (std::string_view(found) == wanted) {
            ::unsetenv(variable);  // it has done its work, and is not meant for the model servers
        }
        return;
    }
    // By its own path, not /proc/self/exe: the process is named after it.
    std::array<char, PATH_MAX> self{};
    const auto length = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
    if (length <= 0 || ::setenv(variable, wanted, 1) != 0) {
        return;
    }
    ::execv(self.data(), argv);
    ::unsetenv(variable);  // the file has been moved away: it is only slower
}

void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            spdlog::warn("raise the limit of open files to {}: {}, ignoring", limit.rlim_max,
                         std::strerror(errno));
        }
    }
}

// NOLINTEND(concurrency-mt-unsafe)

}  // namespace routerd
