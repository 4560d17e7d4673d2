#include "common/config/addresses.hpp"

#include <cstdint>
#include <string_view>

#include <sys/un.h>

#include "common/base/number.hpp"
#include "common/base/text.hpp"

namespace routerd {
namespace {

constexpr std::string_view unix_prefix = "unix://";
constexpr std::string_view http_prefix = "http://";
constexpr std::string_view https_prefix = "https://";

bool is_port(std::string_view text) {
    return number_in<std::uint16_t>(text).has_value();  // 0: any free one
}

std::string_view without_scheme(std::string_view address) {
    for (const auto prefix : {http_prefix, https_prefix}) {
        if (address.starts_with(prefix)) {
            return address.substr(prefix.size());
        }
    }
    return address;
}

/// The part before the last colon; an IPv6 address without its brackets is empty.
std::string_view host_of(std::string_view address) {
    address = without_scheme(address);
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
    const auto place = without_scheme(address);
    const auto colon = place.rfind(':');
    if (colon == std::string_view::npos || !is_port(place.substr(colon + 1)) ||
        host_of(address).empty() || place.find_first_of(" /") != std::string_view::npos) {
        return "'" + escaped(address) +
               "' is no address (examples: 127.0.0.1:8080, https://[::1]:8443, "
               "unix:///run/r.sock)";
    }
    return {};
}

bool is_tls_address(const std::string& address) {
    return address.starts_with(https_prefix);
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
