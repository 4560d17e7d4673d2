#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/catalog/assemble.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/catalog/profile.hpp"
#include "daemon/store/overrides.hpp"

namespace routerd {

/// `before` with `changes` carried out, every value in the form in which it is kept.
/// Errors: invalid_request (unknown key with the nearest, bad value).
Result<KeyValues> edited(const KeyValues& before, const std::vector<KeyChange>& changes);

/// Errors: conflict, when `texts` give `model` an alias that is another model's name.
Result<void> check_aliases(const Model& model, const KeyValues& texts, const Snapshot& snapshot);

/// What the store must change so that `before` becomes `after`.
std::vector<OverrideChange> override_changes(const std::string& model, const KeyValues& before,
                                             const KeyValues& after);

/// All overrides as rows, and back.
std::vector<OverrideRow> to_rows(const Overrides& overrides);
Overrides from_rows(const std::vector<OverrideRow>& rows);

}  // namespace routerd
