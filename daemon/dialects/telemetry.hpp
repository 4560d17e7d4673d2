#pragma once

#include <vector>

#include "daemon/http/routes.hpp"

namespace routerd {

class RequestHistory;

/// GET /v1/telemetry/summary, /v1/telemetry/requests and /v1/telemetry/errors, for administrators:
/// figures of the requests that were answered. What it refers to must outlive the table.
std::vector<Route> telemetry_routes(RequestHistory& history);

}  // namespace routerd
