#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd {

class Database;

/// One key of a client. The key itself is nowhere: only its digest is.
struct KeyRow {
    std::string id;      ///< "k-" and eight hexadecimal digits
    std::string name;    ///< unique
    std::string digest;  ///< SHA-256 of the whole key, in hexadecimal
    std::vector<std::string> scopes;
    std::vector<std::string> models;  ///< ids; none: all
    WallTime created_at;              ///< kept to the millisecond
    std::optional<WallTime> expires_at;
};

class KeyRepository {
  public:
    explicit KeyRepository(Database& database) noexcept : database_(&database) {}

    /// By name.
    Result<std::vector<KeyRow>> load_all();

    /// Errors: conflict when the id or the name is taken.
    Result<void> insert(const KeyRow& row);

    /// Errors: not_found.
    Result<void> remove(std::string_view id);

  private:
    Database* database_;
};

}  // namespace routerd
