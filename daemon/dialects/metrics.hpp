#pragma once

#include <vector>

#include "daemon/http/routes.hpp"

namespace routerd {

class Fleet;
class Telemetry;

/// GET /metrics, in Prometheus' text format. What it refers to must outlive the table.
std::vector<Route> metrics_routes(const Fleet& fleet, const Telemetry& telemetry);

}  // namespace routerd
