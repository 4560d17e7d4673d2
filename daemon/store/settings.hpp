#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd {

class Database;

/// Names of what is kept here.
namespace setting {
inline constexpr std::string_view default_model = "default_model";    ///< id, set by `switch`
inline constexpr std::string_view active_profile = "active_profile";  ///< name, set by `use`
inline constexpr std::string_view preload = "preload";                ///< JSON list of ids
}  // namespace setting

using Settings = std::map<std::string, std::string, std::less<>>;

/// Single values of the daemon, by name.
class SettingsRepository {
  public:
    explicit SettingsRepository(Database& database) noexcept : database_(&database) {}

    Result<Settings> load_all();
    Result<std::optional<std::string>> get(std::string_view key);
    Result<void> set(std::string_view key, std::string_view value);
    Result<void> unset(std::string_view key);

  private:
    Database* database_;
};

}  // namespace routerd
