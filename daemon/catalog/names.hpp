#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "daemon/catalog/model.hpp"

namespace routerd {

/// The model of that id or alias in any case, enabled or not. Errors: model_not_found of `model`,
/// with what is wrong with the file of that name, or else with the nearest name there is.
Result<std::shared_ptr<const Model>> model_named(const Snapshot& snapshot, std::string_view name);

}  // namespace routerd
