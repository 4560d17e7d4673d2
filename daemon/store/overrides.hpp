#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace routerd {

class Database;

/// One thing the user decided about one model: a key of [model."id"] and its text.
struct OverrideRow {
    std::string model;  ///< id; the model itself may be gone for now
    std::string key;
    std::string value;

    bool operator==(const OverrideRow&) const = default;
};

struct OverrideChange {
    std::string model;
    std::string key;
    std::optional<std::string> value;  ///< nullopt: back to what the configuration says
};

class OverrideRepository {
  public:
    explicit OverrideRepository(Database& database) noexcept : database_(&database) {}

    /// By model, then key.
    Result<std::vector<OverrideRow>> load_all();

    /// Carries all changes out, in order, in one transaction.
    Result<void> apply(const std::vector<OverrideChange>& changes);

  private:
    Database* database_;
};

}  // namespace routerd
