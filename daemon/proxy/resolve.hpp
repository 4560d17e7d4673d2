#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "daemon/catalog/model.hpp"

namespace routerd {

class Fleet;

/// The model that a request means. `name`: an id or alias in any case, "org/repo:QUANT",
/// "tier:fast", and nothing, "" or "default" for the switched-to model. For a tier: its least busy
/// loaded model, else its first enabled one. Errors: model_not_found with the nearest name, or for
/// a disabled model; invalid_request when there is no default and the request names none.
Result<std::shared_ptr<const Model>> resolve(const Snapshot& snapshot, const Fleet& fleet,
                                             const std::optional<std::string>& name);

}  // namespace routerd
