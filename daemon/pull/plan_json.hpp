#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "daemon/pull/plan.hpp"

namespace routerd::pull {

/// A plan as it is kept while it is carried out, over restarts.
std::string to_json(const Plan& plan);

/// Errors: invalid_request for what to_json() did not write.
Result<Plan> plan_from_json(std::string_view text);

}  // namespace routerd::pull
