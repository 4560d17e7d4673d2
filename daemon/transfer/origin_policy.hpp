#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "common/base/result.hpp"
#include "common/http/url.hpp"

namespace routerd::transfer {

/// Which URLs may be fetched, so that nobody makes the daemon speak to what only it can reach
/// (reliability.md 6.4). Every URL passes check() before it is looked up, that of a redirect too,
/// and each address of its host check_address() before it is connected to: nobody looks the name
/// up again in between. Immutable once it is made, and cheap to copy: each pull has its own.
class OriginPolicy {
  public:
    /// The hosts of the hub and of Ollama's registry, and what `allow` ([pull] allow) adds:
    /// "host" and "*.domain" (its sub-domains), public and by https, or a whole origin
    /// "http://10.0.0.5:8000", which is trusted whatever it is. Errors: invalid_request.
    static Result<OriginPolicy> make(const std::vector<std::string>& allow = {});

    /// The same, and the host of a URL that somebody typed, where it is public and https; when
    /// `insecure`, its origin is trusted, and no other.
    OriginPolicy for_typed(const http::Url& typed, bool insecure) const;

    /// The same, and `origin` trusted: an endpoint that the configuration names.
    OriginPolicy trusting(const http::Origin& origin) const;

    /// Errors: forbidden.
    Result<void> check(const http::Url& url) const;

    /// Whether the host of `url`, which passed check(), may be reached at `address`: a whole
    /// sockaddr_in or sockaddr_in6, as its family says. Errors: forbidden.
    Result<void> check_address(const sockaddr& address, const http::Url& url) const;

    bool is_trusted(const http::Origin& origin) const;

  private:
    bool is_known(std::string_view host) const;

    std::vector<std::string> hosts_;  ///< "huggingface.co", "*.hf.co"; lower-case
    std::vector<http::Origin> trusted_;
};

}  // namespace routerd::transfer
