#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/http/caller.hpp"

namespace routerd {

class Fleet;

/// What a request means by its model: one model, or the enabled ones of a tier, of which the least
/// busy that is loaded is meant, else the first. Exactly one of the two is empty.
struct Meant {
    std::shared_ptr<const Model> model;
    std::vector<std::shared_ptr<const Model>> tier;

    /// The ids of `tier`.
    std::vector<std::string> ids() const;
};

/// `name`: an id or alias in any case, "org/repo:QUANT", "tier:fast", and nothing, "" or "default"
/// for the switched-to model. Errors: model_not_found with the nearest name, or for a disabled
/// model; invalid_request when there is no default and the request names none.
Result<Meant> meaning_of(const std::optional<std::string>& name, const Snapshot& snapshot);

/// The model that is meant now. Core loop only. Errors: as meaning_of().
Result<std::shared_ptr<const Model>> resolve(const Snapshot& snapshot, const Fleet& fleet,
                                             const std::optional<std::string>& name);

/// The same for a caller, who may not be allowed to use it. Errors: forbidden, too.
Result<std::shared_ptr<const Model>> resolve(const Snapshot& snapshot, const Fleet& fleet,
                                             const std::optional<std::string>& name,
                                             const Caller& caller);

/// A model_not_found as it may be told to `caller`: its hint names a model, which may not be one of
/// his.
Error without_names(const Error& error, const Caller& caller);

}  // namespace routerd
