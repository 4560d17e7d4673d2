#pragma once

#include <string_view>

namespace routerd::api {

/// The OpenAPI document of the control API, common/api/openapi.json, as the daemon serves it at
/// /openapi.json. It is the contract of both programs: paths, parameters, event names, statuses.
std::string_view openapi_document() noexcept;

}  // namespace routerd::api
