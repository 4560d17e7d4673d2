#include "common/client/address.hpp"

#include <optional>

#include "common/base/number.hpp"

namespace routerd::client {
namespace {

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto port = number_in<std::uint16_t>(text);
    return port != 0 ? port : std::nullopt;
}

/// host, host:port, [v6] or [v6]:port.
std::optional<Address> parse_host(std::string_view text, std::uint16_t default_port) {
    const bool bracketed = text.starts_with('[');
    const auto host_end = bracketed ? text.find(']') : text.find(':');
    Address address;
    address.host = text.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
    address.port = default_port;
    auto rest = host_end == std::string_view::npos ? std::string_view() : text.substr(host_end);
    if (bracketed && !take_prefix(rest, "]")) {
        return std::nullopt;
    }
    if (take_prefix(rest, ":")) {
        const auto port = parse_port(rest);
        if (!port) {
            return std::nullopt;
        }
        address.port = *port;
        rest = {};
    }
    const bool good = rest.empty() && !address.host.empty() && address.port != 0 &&
                      address.host.find('/') == std::string::npos;
    return good ? std::optional(address) : std::nullopt;
}

}  // namespace

std::string Address::text() const {
    if (!path.empty()) {
        return "unix://" + path;
    }
    const bool v6 = host.find(':') != std::string::npos;
    return "http://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(std::string_view text) {
    auto rest = text;
    if (take_prefix(rest, "unix://") || take_prefix(rest, "unix:") || rest.starts_with('/')) {
        if (rest.starts_with('/') && rest.size() > 1) {
            return Address{.path = std::string(rest), .host = {}, .port = 0};
        }
    } else {
        const bool http = take_prefix(rest, "http://");
        if (http && rest.ends_with('/')) {
            rest.remove_suffix(1);
        }
        const auto address = parse_host(rest, http ? 80 : 0);
        if (address) {
            return *address;
        }
    }
    return Error(Errc::invalid_request, "'" + std::string(text) + "' is not an address")
        .with_hint("use unix:///path/to/routerd.sock or http://host:port");
}

Result<std::vector<Address>> candidates(std::string_view host, const Environment& environment) {
    const auto variable = environment.find("ROUTERD_HOST");
    const bool has_variable = variable != environment.end() && !variable->second.empty();
    if (host.empty() && !has_variable) {
        return std::vector{Address{.path = system_paths().socket, .host = {}, .port = 0},
                           Address{.path = user_paths(environment).socket, .host = {}, .port = 0}};
    }
    const auto address = parse_address(host.empty() ? variable->second : host);
    if (!address) {
        return address.error().within(host.empty() ? "ROUTERD_HOST" : "--host");
    }
    return std::vector{*address};
}

}  // namespace routerd::client
