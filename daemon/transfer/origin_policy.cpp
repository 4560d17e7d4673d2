#include "daemon/transfer/origin_policy.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/base/text.hpp"
#include "daemon/transfer/address_ranges.hpp"

namespace routerd::transfer {
namespace {

constexpr std::array<std::string_view, 7> known_hosts{
    "huggingface.co",
    "*.huggingface.co",
    "hf.co",
    "*.hf.co",  // files come from cas-bridge.xethub.hf.co and others
    "registry.ollama.ai",
    "*.ollama.ai",
    "*.r2.cloudflarestorage.com",  // where Ollama's registry sends for its blobs
};

constexpr std::uint16_t only_port = 443;

bool matches(std::string_view pattern, std::string_view host) {
    if (!pattern.starts_with("*.")) {
        return pattern == host;
    }
    return host.size() > pattern.size() - 1 && host.ends_with(pattern.substr(1));
}

Error bad_entry(const std::string& entry, const std::string& why) {
    return Error(Errc::invalid_request, "'" + escaped(entry) + "' in [pull] allow: " + why)
        .with_hint("write \"host\", \"*.domain\" or a whole origin: \"http://10.0.0.5:8000\"");
}

Result<http::Origin> origin_entry(const std::string& entry) {
    const auto url = http::parse_url(entry);
    if (!url) {
        return bad_entry(entry, url.error().message());
    }
    if (url->target != "/") {
        return bad_entry(entry, "an origin has no path");
    }
    return url->origin;
}

Result<std::string> host_entry(const std::string& entry) {
    const bool is_wild = entry.starts_with("*.");
    const auto url = http::parse_url("https://" + entry.substr(is_wild ? 2 : 0));
    if (!url) {
        return bad_entry(entry, url.error().message());
    }
    const auto& origin = url->origin;
    if (url->target != "/" || origin.port != only_port || (is_wild && origin.is_address)) {
        return bad_entry(entry, "that is no host");
    }
    return (is_wild ? "*." : "") + origin.host;
}

/// Of a host that is an address.
std::string_view why_literal_not_public(const std::string& host) {
    sockaddr_storage address{};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        std::memcpy(&address, &v4, sizeof(v4));
    } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        std::memcpy(&address, &v6, sizeof(v6));
    }
    return why_not_public(reinterpret_cast<const sockaddr&>(address));
}

Error refused(const http::Url& url, const std::string& why) {
    return Error(Errc::forbidden, "'" + url.shown() + "' is not fetched: " + why)
        .with_hint("if that is meant, add '" + to_string(url.origin) + "' to `[pull] allow`");
}

}  // namespace

Result<OriginPolicy> OriginPolicy::make(const std::vector<std::string>& allow) {
    OriginPolicy policy;
    policy.hosts_.assign(known_hosts.begin(), known_hosts.end());
    for (const auto& entry : allow) {
        if (entry.find("://") != std::string::npos) {
            const auto origin = origin_entry(entry);
            if (!origin) {
                return origin.error();
            }
            policy.trusted_.push_back(*origin);
            continue;
        }
        const auto host = host_entry(entry);
        if (!host) {
            return host.error();
        }
        policy.hosts_.push_back(*host);
    }
    return policy;
}

OriginPolicy OriginPolicy::for_typed(const http::Url& typed, bool insecure) const {
    if (insecure) {
        return trusting(typed.origin);
    }
    auto policy = *this;
    policy.hosts_.push_back(typed.origin.host);
    return policy;
}

OriginPolicy OriginPolicy::trusting(const http::Origin& origin) const {
    auto policy = *this;
    policy.trusted_.push_back(origin);
    return policy;
}

bool OriginPolicy::is_trusted(const http::Origin& origin) const {
    return std::find(trusted_.begin(), trusted_.end(), origin) != trusted_.end();
}

bool OriginPolicy::is_known(std::string_view host) const {
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [host](const std::string& pattern) { return matches(pattern, host); });
}

Result<void> OriginPolicy::check(const http::Url& url) const {
    const auto& origin = url.origin;
    if (is_trusted(origin)) {
        return {};
    }
    if (origin.scheme != "https") {
        return refused(url, "it is not https");
    }
    const auto why = origin.is_address ? why_literal_not_public(origin.host) : std::string_view();
    if (!why.empty()) {
        return refused(url, "a " + std::string(why) + " address");
    }
    if (!is_known(origin.host)) {
        return refused(url, "its host is not among those that are allowed");
    }
    if (origin.port != only_port) {
        return refused(url, "its port is not " + std::to_string(only_port));
    }
    return {};
}

Result<void> OriginPolicy::check_address(const sockaddr& address, const http::Url& url) const {
    const auto why = why_not_public(address);
    if (why.empty() || is_trusted(url.origin)) {
        return {};
    }
    return refused(url, "its host is at a " + std::string(why) + " address");
}

}  // namespace routerd::transfer
