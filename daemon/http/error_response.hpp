#pragma once

#include <string>

#include "common/base/error.hpp"
#include "daemon/http/exchange.hpp"

namespace routerd {

/// The HTTP status of an error; the one place that knows. 499 for a client that left.
unsigned http_status(const Error& error) noexcept;

/// The error's body in a dialect (http-api.md, "Errors"): OpenAI's, Anthropic's or the registry's.
/// Internal errors carry no detail.
std::string error_body(const Error& error, Dialect dialect);

/// The same as one SSE event that ends a stream: `data: {…}`, for Anthropic `event: error`.
std::string error_event(const Error& error, Dialect dialect);

/// Status, body and, for 429 and 503, Retry-After.
Response error_response(const Error& error, Dialect dialect);

}  // namespace routerd
