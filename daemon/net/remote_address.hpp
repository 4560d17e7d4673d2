#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace routerd {

class TlsClientContext;

/// Where a server elsewhere is reached, and how it is spoken to.
struct RemoteAddress {
    std::string host;  ///< a name, or an address without []
    std::uint16_t port = 0;
    std::shared_ptr<const TlsClientContext> tls;  ///< nullptr: without TLS
};

}  // namespace routerd
