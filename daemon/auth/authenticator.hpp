#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/config/schema.hpp"
#include "daemon/auth/key.hpp"
#include "daemon/http/caller.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/store/keys.hpp"

namespace routerd {

/// Who may do what on the public listeners. With no key, configured or kept, everybody who reaches
/// a loopback listener may do everything, and nobody anything where there are others (unless
/// --insecure-no-auth is given); what a browser can be tricked into is refused even then.
/// Immutable.
class Authenticator {
  public:
    /// Reads the key file too; its keys and [auth] api_key have every scope. `kept`: those of
    /// `routerctl keys`. Errors: invalid_request (a file that others can read, or without a key; a
    /// kept key that cannot be read), unavailable (the file cannot be read).
    static Result<Authenticator> make(const Config& config, bool loopback_only,
                                      const std::vector<KeyRow>& kept = {});

    /// The same with other kept keys; reads no file. Errors: invalid_request.
    Result<Authenticator> with(const std::vector<KeyRow>& kept) const;

    bool has_keys() const noexcept { return !keys_.empty() || !kept_.empty(); }
    /// Without a key nobody is let in.
    bool needs_key() const noexcept { return has_keys() || !is_open_; }

    /// Is this request allowed to come this far, and whose is it? Errors: invalid_api_key,
    /// forbidden.
    Result<Caller> check(const http::RequestHead& head, const Route* route, Scheme scheme) const;

  private:
    Authenticator() = default;
    Result<void> check_browser(const http::RequestHead& head, Scheme scheme) const;
    Result<Caller> check_key(const http::RequestHead& head, const Route* route) const;

    struct Key {
        std::string name;  ///< "api_key", or "keys_file:3" for the third key of the file
        std::string secret;
    };
    struct KeptKey {
        Caller caller;
        KeyDigest digest;
        std::vector<std::string> scopes;
        std::optional<WallTime> expires;
    };
    static Result<KeptKey> read_kept(const KeyRow& row);
    static Result<void> check_kept(const KeptKey& key, const http::RequestHead& head,
                                   const Route* route);

    std::vector<Key> keys_;
    std::vector<KeptKey> kept_;
    std::vector<std::string> origins_;
    bool loopback_only_ = true;
    bool is_open_ = true;  ///< to all who reach it, while there is no key
};

}  // namespace routerd
