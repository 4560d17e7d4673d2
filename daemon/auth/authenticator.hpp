#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/http/routes.hpp"

namespace routerd {

/// Who may do what on the public listeners. With no key configured everybody who reaches a loopback
/// listener may do everything; what a browser can be tricked into is refused even then. Immutable.
class Authenticator {
  public:
    /// Reads the key file too. Errors: invalid_request (a file that others can read, or without a
    /// key), unavailable (it cannot be read).
    static Result<Authenticator> make(const Config& config, bool loopback_only);

    bool has_keys() const noexcept { return !keys_.empty(); }

    /// Is this request allowed to come this far? The name of the key that it brings, which tells
    /// nothing of the key itself; empty where none is needed. Errors: invalid_api_key, forbidden.
    Result<std::string> check(const http::RequestHead& head, const Route* route,
                              Scheme scheme) const;

  private:
    Authenticator() = default;
    Result<void> check_browser(const http::RequestHead& head, Scheme scheme) const;
    Result<std::string> check_key(const http::RequestHead& head) const;

    struct Key {
        std::string name;  ///< "api_key", or "keys_file:3" for the third key of the file
        std::string secret;
    };

    std::vector<Key> keys_;
    std::vector<std::string> origins_;
    bool loopback_only_ = true;
};

}  // namespace routerd
