#pragma once

#include <string_view>

#include "daemon/http/routes.hpp"

namespace routerd {

/// A Host value that can only mean this machine: localhost, *.localhost, 127.0.0.0/8, [::1], with
/// any port; an empty one too (HTTP/1.0, which no browser speaks).
bool is_local_host(std::string_view host) noexcept;

/// `origin` ("http://127.0.0.1:8080") is the very address that the request came to.
bool is_same_origin(std::string_view origin, Scheme scheme, std::string_view host) noexcept;

}  // namespace routerd
