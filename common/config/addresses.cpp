#include "common/config/addresses.hpp"

#include <charconv>
#include <string_view>

#include <sys/un.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

constexpr std::string_view unix_prefix = "unix://";

bool is_port(std::string_view text) {
    unsigned port = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    return error == std::errc{} && stop == end && port <= 65'535;  // 0: any free one
}

/// The part before the last colon; an IPv6 address without its brackets is empty.
std::string_view host_of(std::string_view address) {
    const auto host = address.substr(0, address.rfind(':'));
    if (host.starts_with('[') && host.ends_with(']')) {
        return host.substr(1, host.size() - 2);
    }
    return host.find(':') == std::string_view::npos ? host : std::string_view();
}

}  // namespace

std::string complain_about_address(const std::string& address) {
    if (address.starts_with(unix_prefix)) {
        const auto path = address.substr(unix_prefix.size());
        return path.empty() ? "must name a path after unix://" : complain_about_socket_path(path);
    }
    const auto colon = address.rfind(':');
    if (colon == std::string::npos || !is_port(std::string_view(address).substr(colon + 1)) ||
        host_of(address).empty() || address.find_first_of(" /") != std::string::npos) {
        return "'" + escaped(address) +
               "' is no address (examples: 127.0.0.1:8080, [::1]:8080, unix:///run/r.sock)";
    }
    return {};
}

std::string complain_about_socket_path(const std::string& path) {
    constexpr std::size_t most = sizeof(sockaddr_un::sun_path) - 1;
    if (path.empty()) {
        return {};
    }
    if (!path.starts_with('/')) {
        return "socket '" + escaped(path) + "' must be an absolute path";
    }
    if (path.size() > most) {
        return "socket '" + escaped(path) + "' is longer than the " + std::to_string(most) +
               " bytes that the system allows";
    }
    return {};
}

bool is_local_address(const std::string& address) {
    const auto host = host_of(address);
    return address.starts_with(unix_prefix) || host.starts_with("127.") || host == "::1" ||
           iequals(host, "localhost");
}

}  // namespace routerd
