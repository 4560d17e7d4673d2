#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/catalog/assemble.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/catalog/profile.hpp"

namespace routerd {

/// As the store keeps it, without name and `active`. Always valid JSON.
std::string profile_to_text(const Profile& profile);

/// Errors: invalid_request, when another version wrote it.
Result<Profile> profile_from_text(std::string name, std::string_view text);

/// A profile as it will be kept: the name made a slug, every model by its id, every key and value
/// checked. Errors: invalid_request, not_found.
Result<Profile> checked_profile(Profile profile, const Snapshot& snapshot);

/// The user's overrides after `profile` came into force: what it decides itself is no longer
/// overridden, everything else stays.
Overrides overrides_under(const Profile& profile, Overrides overrides);

}  // namespace routerd
