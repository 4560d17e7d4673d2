#include "daemon/supervisor/endpoint.hpp"

#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/unique_fd.hpp"

namespace routerd {

Result<std::string> socket_path(const std::string& folder, std::uint64_t id,
                                const std::string& model) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    const std::string head = folder + "/" + std::to_string(id) + "-";
    const std::string tail = ".sock";
    if (head.size() + tail.size() + 1 > longest) {
        return Error(Errc::load_failed, "the folder '" + folder + "' is too long for sockets: " +
                                            std::to_string(head.size() + tail.size()) + " of " +
                                            std::to_string(longest) + " bytes")
            .with_hint("set [state] runtime_dir to a shorter path");
    }
    return head + file_name_of(model).substr(0, longest - head.size() - tail.size()) + tail;
}

Result<void> remove_stale_socket(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        return {};
    }
    if (!S_ISSOCK(info.st_mode)) {
        return Error(Errc::load_failed, "'" + path + "' is in the way and is no socket");
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return Error(Errc::load_failed,
                     errno_error("remove the socket '" + path + "'", errno).message());
    }
    return {};
}

Result<std::uint16_t> free_port() {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (!fd || ::bind(fd.get(), raw, size) != 0 || ::getsockname(fd.get(), raw, &size) != 0) {
        return Error(Errc::load_failed, errno_error("find a free port", errno).message());
    }
    return ntohs(address.sin_port);
}

std::string file_name_of(const std::string& name) {
    std::string safe;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_dot_at_front = c == '.' && safe.empty();
        if ((std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '-') && !is_dot_at_front) {
            safe += c;
        } else {
            std::array<char, 4> escape{};
            std::snprintf(escape.data(), escape.size(), "%%%02X", byte);
            safe += escape.data();
        }
    }
    return safe;
}

}  // namespace routerd
