#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "daemon/net/remote_address.hpp"

namespace routerd {

/// A model's server that is not ours, and how it is asked.
struct RemoteServer {
    RemoteAddress address;
    std::string url;      ///< of its API, as it was configured, in its one spelling
    std::string host;     ///< Host field of requests to it
    std::string base;     ///< in front of the path of each request: "/team", or empty
    std::string key;      ///< sent as "authorization: Bearer"; empty: none is
    std::string ca_file;  ///< as TlsClientContext::make() takes it
};

/// The server whose API is at `url`, with or without the /v1 at its end that our paths have
/// themselves. Reads `ca_file` and sets up TLS, where it is https. Errors: invalid_request,
/// unavailable.
Result<std::shared_ptr<const RemoteServer>> make_remote_server(const std::string& url,
                                                               std::string key,
                                                               std::string ca_file);

}  // namespace routerd
