#pragma once

#include <string>
#include <string_view>

#include "common/api/profile.hpp"
#include "common/base/result.hpp"

namespace routerd::ctl {

/// A profile as TOML: description, enabled_models, preload, default_model and one table
/// [overrides."MODEL"] for each model with keys as in [model."id"] of routerd.toml(5).
/// Errors: invalid_request, with `name`, line and column.
Result<api::Profile> parse_profile(std::string_view text, const std::string& name);

/// The same the other way, for an editor.
std::string render_profile(const api::Profile& profile);

}  // namespace routerd::ctl
