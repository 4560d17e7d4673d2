#include "daemon/app/notify.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/number.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {

void notify_service_manager(std::string_view state) noexcept {
    const char* const path =
        std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): never set
    sockaddr_un address{};
    if (path == nullptr || (path[0] != '/' && path[0] != '@') ||
        std::strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    address.sun_family = AF_UNIX;
    const auto length = std::strlen(path);
    std::memcpy(address.sun_path, path, length);
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';  // abstract name space
    }
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), size);
}

std::chrono::microseconds watchdog_limit() {
    const char* const limit = std::getenv("WATCHDOG_USEC");  // NOLINT(concurrency-mt-unsafe)
    const char* const whose = std::getenv("WATCHDOG_PID");   // NOLINT(concurrency-mt-unsafe)
    if (limit == nullptr || (whose != nullptr && whose != std::to_string(::getpid()))) {
        return std::chrono::microseconds(0);
    }
    constexpr auto most = std::chrono::microseconds(std::chrono::hours(24));
    const auto number = number_in<std::uint64_t>(limit).value_or(0);
    return std::chrono::microseconds(number < static_cast<std::uint64_t>(most.count()) ? number
                                                                                       : 0);
}

}  // namespace routerd
