#pragma once

#include <functional>
#include <vector>

#include "daemon/catalog/model.hpp"
#include "daemon/http/routes.hpp"

namespace routerd {

class Fleet;

/// GET /v1/models and /v1/models/{id}: every enabled model, loaded or not, in OpenAI's form with
/// what the router knows beside it. `fleet` must outlive the table.
std::vector<Route> openai_model_routes(std::function<SnapshotPtr()> catalog, const Fleet& fleet);

}  // namespace routerd
