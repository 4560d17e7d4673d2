#pragma once

#include <optional>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/net/tls_context.hpp"

namespace routerd {

/// What the listeners with TLS show to their clients, read from its files; nothing where no address
/// asks for it. Errors: those of TlsContext::load().
Result<std::optional<TlsContext>> load_certificate(const HttpConfig& config);

}  // namespace routerd
