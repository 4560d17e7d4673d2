#include "daemon/auth/authenticator.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "common/config/secret_file.hpp"
#include "daemon/auth/host_check.hpp"

namespace routerd {
namespace {

/// Takes the same time for every key of the same length, wherever they differ, and whatever the
/// known one's length is.
bool same_key(std::string_view given, std::string_view known) noexcept {
    const bool is_as_long = given.size() == known.size();
    const auto other = is_as_long ? known : given;
    std::uint64_t difference = is_as_long ? 0 : 1;
    std::size_t at = 0;
    for (; at + sizeof(difference) <= given.size(); at += sizeof(difference)) {
        std::uint64_t ours = 0;
        std::uint64_t theirs = 0;
        std::memcpy(&ours, other.data() + at, sizeof(ours));
        std::memcpy(&theirs, given.data() + at, sizeof(theirs));
        difference |= ours ^ theirs;
    }
    for (; at < given.size(); ++at) {
        difference |= static_cast<unsigned char>(other[at] ^ given[at]);
    }
    return difference == 0;
}

/// Of an Authorization field. Errors: it is of another scheme.
Result<std::string_view> bearer_key(std::string_view value) {
    constexpr std::string_view scheme = "Bearer ";
    if (!iequals(value.substr(0, scheme.size()), scheme)) {
        return Error(Errc::invalid_api_key, "the Authorization header is not 'Bearer KEY'");
    }
    return trim(value.substr(scheme.size()));
}

/// The key that a request brings: one of Authorization: Bearer and x-api-key.
Result<std::string_view> given_key(const http::RequestHead& head) {
    std::optional<std::string_view> key;
    for (const auto& field : head.fields) {
        const bool is_bearer = field.known == http::Name::authorization;
        if (!is_bearer && field.known != http::Name::x_api_key) {
            continue;
        }
        const auto value =
            is_bearer ? bearer_key(field.value) : Result<std::string_view>(field.value);
        if (!value) {
            return value.error();
        }
        if (key && *key != *value) {
            return Error(Errc::invalid_api_key, "the request brings more than one key");
        }
        key = *value;
    }
    if (!key || key->empty()) {
        return Error(Errc::invalid_api_key, "this request needs a key")
            .with_hint("send it as 'Authorization: Bearer KEY'");
    }
    return *key;
}

}  // namespace

Result<Authenticator> Authenticator::make(const Config& config, bool loopback_only,
                                          const std::vector<KeyRow>& kept) {
    Authenticator made;
    made.origins_ = config.http.cors_origins;
    made.loopback_only_ = loopback_only;
    made.is_open_ = loopback_only || config.http.insecure_no_auth;
    if (!config.auth.api_key.empty()) {
        made.keys_.push_back({"api_key", config.auth.api_key});
    }
    if (!config.auth.keys_file.empty()) {
        auto keys = read_secret_file(config.auth.keys_file);
        if (!keys) {
            return keys.error();
        }
        for (std::size_t i = 0; i < keys->size(); ++i) {
            made.keys_.push_back({"keys_file:" + std::to_string(i + 1), std::move(keys->at(i))});
        }
    }
    return made.with(kept);
}

Result<Authenticator> Authenticator::with(const std::vector<KeyRow>& kept) const {
    auto other = *this;
    other.kept_.clear();
    for (const auto& row : kept) {
        auto key = read_kept(row);
        if (!key) {
            return key.error();
        }
        other.kept_.push_back(std::move(*key));
    }
    return other;
}

Result<Authenticator::KeptKey> Authenticator::read_kept(const KeyRow& row) {
    auto digest = digest_from_hex(row.digest);
    if (!digest) {
        return digest.error().within("read key '" + row.name + "'");
    }
    KeptKey key{{row.name, nullptr}, *digest, row.scopes, row.expires_at};
    if (!row.models.empty()) {
        key.caller.models = std::make_shared<const std::vector<std::string>>(row.models);
    }
    return key;
}

Result<void> Authenticator::check_browser(const http::RequestHead& head, Scheme scheme) const {
    if (loopback_only_ && !has_keys() && !is_local_host(head.host)) {
        // A page of somebody's whose name was made to point here (DNS rebinding).
        return Error(Errc::forbidden,
                     "Host '" + escaped(head.host) + "' is not this machine's name")
            .with_hint("use localhost or 127.0.0.1, or configure a key");
    }
    if (head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS") {
        return {};
    }
    const auto origin = head.find(http::Name::origin);
    const bool known_origin =
        origin && (std::find(origins_.begin(), origins_.end(), *origin) != origins_.end() ||
                   is_same_origin(*origin, scheme, head.host));
    const auto site = head.find(http::Name::sec_fetch_site);
    if ((origin && !known_origin) || (!origin && site && *site == "cross-site")) {
        return Error(Errc::forbidden, "requests from pages of other origins are not allowed")
            .with_hint("add the origin to [http] cors_origins");
    }
    return {};
}

Result<void> Authenticator::check_kept(const KeptKey& key, const http::RequestHead& head,
                                       const Route* route) {
    if (key.expires && std::chrono::system_clock::now() >= *key.expires) {
        return Error(Errc::invalid_api_key,
                     "key '" + key.caller.key + "' expired at " + format_rfc3339(*key.expires))
            .with_hint("routerctl keys create makes a new one");
    }
    const auto scope = route == nullptr ? Scope::open : route->scope;
    const bool reads = head.method == "GET" || head.method == "HEAD";
    const auto has = [&key](std::string_view name) {
        return std::ranges::find(key.scopes, name) != key.scopes.end();
    };
    const bool may = scope == Scope::open || (scope == Scope::admin && has("admin")) ||
                     (scope == Scope::read && (has("read") || has("admin"))) ||
                     (scope == Scope::inference && (has("inference") || (reads && has("read"))));
    if (!may) {
        const auto* needed = scope == Scope::inference ? "inference"
                             : scope == Scope::read    ? "read"
                                                       : "admin";
        return Error(Errc::forbidden, "key '" + key.caller.key + "' has not the scope '" + needed +
                                          "' that this needs; it has: " + join(key.scopes, ", "));
    }
    return {};
}

Result<Caller> Authenticator::check_key(const http::RequestHead& head, const Route* route) const {
    const auto given = given_key(head);
    if (!given) {
        return given.error();
    }
    const Key* known = nullptr;
    for (const auto& key : keys_) {
        known = same_key(*given, key.secret) ? &key : known;
    }
    if (known != nullptr) {
        return Caller{known->name, nullptr};
    }
    const KeptKey* kept = nullptr;
    if (!kept_.empty()) {
        const auto digest = digest_of(*given);
        for (const auto& key : kept_) {
            kept = same_digest(digest, key.digest) ? &key : kept;
        }
    }
    if (kept == nullptr) {
        return Error(Errc::invalid_api_key, "this key is not known here");
    }
    const auto allowed = check_kept(*kept, head, route);
    return allowed ? Result<Caller>(kept->caller) : allowed.error();
}

Result<Caller> Authenticator::check(const http::RequestHead& head, const Route* route,
                                    Scheme scheme) const {
    const auto safe = check_browser(head, scheme);
    if (!safe) {
        return safe.error();
    }
    const bool open = route != nullptr && route->scope == Scope::open;
    return !needs_key() || open ? Result<Caller>(Caller()) : check_key(head, route);
}

}  // namespace routerd
