#include "common/http/url.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <arpa/inet.h>

#include "common/base/number.hpp"
#include "common/base/text.hpp"

namespace routerd::http {
namespace {

constexpr std::size_t longest_url = 8192;
constexpr std::size_t longest_host = 253;   // RFC 1035 2.3.4, as text
constexpr std::size_t longest_label = 63;   // there too
constexpr std::size_t longest_quote = 200;  // bytes of a URL in a message
constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

bool is_url_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_url_hex(char c) noexcept {
    return is_url_digit(c) || (c >= 'a' && c <= 'f');
}

std::uint16_t default_port(std::string_view scheme) noexcept {
    return scheme == "https" ? https_port : http_port;
}

/// For a message: without what may be secret.
std::string quoted_url(std::string_view text) {
    text = text.substr(0, text.find_first_of("?#"));
    const auto scheme = text.find("://");
    if (const auto user = text.rfind('@'); user != std::string_view::npos) {
        const bool has_scheme = scheme != std::string_view::npos && scheme < user;
        return "'" + escaped(text.substr(0, has_scheme ? scheme + 3 : 0)) + "…" +
               escaped(text.substr(user, longest_quote)) + "'";
    }
    return "'" + escaped(text.substr(0, longest_quote)) +
           (text.size() > longest_quote ? "…'" : "'");
}

Error bad_url(std::string_view text, const std::string& why) {
    return {Errc::invalid_request, "URL " + quoted_url(text) + ": " + why};
}

Error too_long(std::string_view text) {
    return bad_url(text, "longer than " + std::to_string(longest_url) + " bytes");
}

/// Where a program that is less strict would see a number: "127.1", "0x7f.0.0.1", "2130706433".
bool ends_in_number(std::string_view host) {
    const auto last = host.substr(host.rfind('.') + 1);
    const bool decimal = std::all_of(last.begin(), last.end(), is_url_digit);
    const bool hexadecimal =
        last.starts_with("0x") && std::all_of(last.begin() + 2, last.end(), is_url_hex);
    return decimal || hexadecimal;
}

/// The address in its usual spelling, or nullopt.
std::optional<std::string> address_text(int family, const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    std::array<char, INET6_ADDRSTRLEN> spelled{};
    if (::inet_pton(family, text.c_str(), bytes.data()) != 1 ||
        ::inet_ntop(family, bytes.data(), spelled.data(), spelled.size()) == nullptr) {
        return std::nullopt;
    }
    return std::string(spelled.data());
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= longest_label && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
               return is_url_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
           });
}

/// What is wrong with a lower-case host that is no address in brackets; empty when it is good.
std::string complain_about_host(const std::string& host) {
    if (host.empty()) {
        return "it has no host";
    }
    if (host.ends_with('.')) {
        return "a host must not end in a dot";
    }
    if (ends_in_number(host)) {
        return address_text(AF_INET, host) == host
                   ? ""
                   : "an IPv4 address is four decimal numbers with dots between";
    }
    const auto labels = split(host, '.');
    const bool good =
        host.size() <= longest_host && std::all_of(labels.begin(), labels.end(), is_label);
    return good ? "" : "that is no host name";
}

/// Reads "host", "host:port", "[v6]" or "[v6]:port" into `origin`; what is wrong, or empty.
std::string read_authority(std::string_view authority, Origin& origin) {
    if (authority.find('@') != std::string_view::npos) {
        return "a user or password in it is not taken";
    }
    std::string_view port;
    bool has_port = false;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        const auto inner = authority.substr(1, end == std::string_view::npos ? 0 : end - 1);
        const auto address = address_text(AF_INET6, std::string(inner));
        const auto rest =
            end == std::string_view::npos ? std::string_view() : authority.substr(end + 1);
        if (!address || (!rest.empty() && rest.front() != ':')) {
            return "that is no IPv6 address in brackets";
        }
        origin.host = *address;
        origin.is_address = true;
        has_port = !rest.empty();
        port = has_port ? rest.substr(1) : rest;
    } else {
        const auto colon = authority.find(':');
        origin.host = to_lower(authority.substr(0, colon));
        has_port = colon != std::string_view::npos;
        port = has_port ? authority.substr(colon + 1) : std::string_view();
        if (auto complaint = complain_about_host(origin.host); !complaint.empty()) {
            return complaint;
        }
        origin.is_address = ends_in_number(origin.host);
    }
    origin.port = default_port(origin.scheme);
    if (!has_port) {
        return {};
    }
    origin.port = number_in<std::uint16_t>(port).value_or(0);
    return origin.port != 0 ? "" : "a port is a number from 1 to 65535";
}

/// RFC 3986 5.2.4, of a path that begins with '/'.
std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    const auto parts = split(path.substr(1), '/');
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool is_last = i + 1 == parts.size();
        const bool up = parts[i] == "..";
        if (up && !kept.empty()) {
            kept.pop_back();
        }
        if (!up && parts[i] != ".") {
            kept.push_back(parts[i]);
        } else if (is_last) {
            kept.emplace_back();
        }
    }
    std::string result;
    for (const auto part : kept) {
        result.append("/").append(part);
    }
    return result.empty() ? "/" : result;
}

/// Begins with a scheme: letters, digits, '+', '-' or '.', then ':' (RFC 3986 3.1).
bool has_scheme(std::string_view text) {
    const auto end = text.find_first_of(":/?#");
    return end != std::string_view::npos && end > 0 && text[end] == ':';
}

std::string absolute(const Url& base, std::string_view location) {
    if (has_scheme(location)) {
        return std::string(location);
    }
    if (location.starts_with("//")) {
        return base.origin.scheme + ":" + std::string(location);
    }
    const auto origin = to_string(base.origin);
    const auto path = std::string_view(base.target).substr(0, base.target.find('?'));
    if (location.front() == '?') {
        return origin + std::string(path) + std::string(location);
    }
    const auto query = std::min(location.find_first_of("?#"), location.size());
    const auto folder =
        location.starts_with('/') ? std::string_view() : path.substr(0, path.rfind('/') + 1);
    const auto merged = std::string(folder) + std::string(location.substr(0, query));
    return origin + without_dots(merged) + std::string(location.substr(query));
}

}  // namespace

std::string host_field(const Origin& origin) {
    const bool is_v6 = origin.host.find(':') != std::string::npos;
    auto text = is_v6 ? "[" + origin.host + "]" : origin.host;
    return origin.port == default_port(origin.scheme) ? text
                                                      : text + ":" + std::to_string(origin.port);
}

std::string to_string(const Origin& origin) {
    return origin.scheme + "://" + host_field(origin);
}

std::string Url::text() const {
    return to_string(origin) + target;
}

std::string Url::shown() const {
    return to_string(origin) + escaped(target.substr(0, target.find('?')));
}

bool same_origin(const Url& a, const Url& b) noexcept {
    return a.origin == b.origin;
}

Result<Url> parse_url(std::string_view text) {
    const auto is_odd = [](char c) { return c <= ' ' || c > '~' || c == '\\'; };
    if (text.size() > longest_url) {
        return too_long(text);
    }
    if (std::any_of(text.begin(), text.end(), is_odd)) {
        return bad_url(text, "a space, a backslash or what is not printable ASCII is in it")
            .with_hint("write such characters as %20 and the like");
    }
    Url url;
    const auto colon = text.find("://");
    url.origin.scheme = to_lower(text.substr(0, colon));
    if (colon == std::string_view::npos ||
        (url.origin.scheme != "https" && url.origin.scheme != "http")) {
        return bad_url(text, "it does not begin with https:// or http://");
    }
    const auto rest = text.substr(colon + 3, text.find('#') - std::min(colon + 3, text.size()));
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    if (const auto complaint = read_authority(rest.substr(0, end), url.origin);
        !complaint.empty()) {
        return bad_url(text, complaint);
    }
    url.target = rest.substr(end);
    if (!url.target.starts_with('/')) {
        url.target.insert(0, "/");
    }
    if (url.text().size() > longest_url) {  // its one spelling may be longer than what was given
        return too_long(text);
    }
    return url;
}

Result<Url> resolve_location(const Url& base, std::string_view location) {
    if (location.empty() || location.front() == '#') {
        return Error(Errc::forbidden, "redirect from '" + base.shown() + "' leads nowhere");
    }
    auto url = parse_url(absolute(base, location));
    if (!url) {
        return Error(Errc::forbidden,
                     "redirect from '" + base.shown() + "': " + url.error().message());
    }
    return url;
}

}  // namespace routerd::http
