#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/net/net.hpp"

namespace routerd::pull {

/// A small answer of an origin, whole.
struct Document {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::string body;
};

/// How sources read what an origin says of its files. An interface so that they are tested without
/// one. Core loop.
class Documents {
  public:
    struct Request {
        std::string url;
        std::string accept;  ///< media types, or empty
        std::string token;   ///< bearer token, sent to the host of `url` alone; empty: none
        std::size_t most = std::size_t{16} << 20U;  ///< bytes of the answer, refused beyond it
    };

    Documents() = default;
    Documents(const Documents&) = delete;
    Documents& operator=(const Documents&) = delete;
    virtual ~Documents() = default;

    /// Follows redirects as the policy allows, and tries again after what passes (429, 503, a
    /// connection that breaks). Any final status is a Document; errors are those of the way there:
    /// forbidden (the policy), unavailable, deadline_exceeded, payload_too_large.
    virtual asio::awaitable<Result<Document>> get(Request request) = 0;
};

}  // namespace routerd::pull
