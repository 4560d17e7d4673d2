#include "daemon/auth/host_check.hpp"

#include <array>
#include <string>

#include <arpa/inet.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

std::string_view without_port(std::string_view host) noexcept {
    if (host.starts_with('[')) {
        return host.substr(0, host.find(']') + 1);
    }
    return host.substr(0, host.find(':'));
}

bool is_loopback_v4(std::string_view name) noexcept {
    std::array<char, 16> text{};
    in_addr address{};
    if (name.size() >= text.size()) {
        return false;
    }
    name.copy(text.data(), name.size());
    return ::inet_pton(AF_INET, text.data(), &address) == 1 && name.starts_with("127.");
}

}  // namespace

bool is_local_host(std::string_view host) noexcept {
    const auto name = without_port(host);
    constexpr std::string_view suffix = ".localhost";
    return name.empty() || name == "[::1]" || iequals(name, "localhost") || is_loopback_v4(name) ||
           (name.size() > suffix.size() &&
            iequals(name.substr(name.size() - suffix.size()), suffix));
}

bool is_same_origin(std::string_view origin, Scheme scheme, std::string_view host) noexcept {
    const std::string_view begin = scheme == Scheme::https ? "https://" : "http://";
    return iequals(origin.substr(0, begin.size()), begin) &&
           iequals(origin.substr(begin.size()), host);
}

}  // namespace routerd
