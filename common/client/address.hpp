#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/config/paths.hpp"

namespace routerd::client {

/// Where a daemon may be reached: a Unix socket when `path` is not empty, else TCP.
struct Address {
    std::string path;
    std::string host;  ///< name or number, without brackets
    std::uint16_t port = 0;

    /// "unix:///run/routerd/routerd.sock" or "http://127.0.0.1:8080".
    std::string text() const;
};

/// Reads `unix:///path`, a bare absolute path, `http://host[:port]` (port 80) or `host:port`.
/// Errors: invalid_request.
Result<Address> parse_address(std::string_view text);

/// What to try, in order: `host` alone (--host), else $ROUTERD_HOST alone, else the system's
/// control socket and then the user's. Errors: invalid_request.
Result<std::vector<Address>> candidates(std::string_view host, const Environment& environment);

}  // namespace routerd::client
