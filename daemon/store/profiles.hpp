#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/store/overrides.hpp"
#include "daemon/store/settings.hpp"

namespace routerd {

class Database;

/// A named set of choices, as the catalogue wrote it down.
struct ProfileRow {
    std::string name;
    std::string document;  ///< JSON, the catalogue's own
    WallTime changed_at;   ///< kept to the millisecond
};

class ProfileRepository {
  public:
    explicit ProfileRepository(Database& database) noexcept : database_(&database) {}

    /// By name.
    Result<std::vector<ProfileRow>> list();
    Result<std::optional<ProfileRow>> get(std::string_view name);

    /// Adds or replaces by name.
    Result<void> put(const ProfileRow& row);

    /// Errors: not_found.
    Result<void> remove(std::string_view name);

    /// Puts `overrides` and `settings` in the place of all overrides and settings there are, in one
    /// transaction.
    Result<void> use(const std::vector<OverrideRow>& overrides, const Settings& settings);

  private:
    Database* database_;
};

}  // namespace routerd
