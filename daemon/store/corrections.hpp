#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd {

class Database;

/// What one load taught about the memory of a model, as the supervisor wrote it down.
struct CorrectionRow {
    std::string fingerprint;  ///< of the model, its parameters and where it was put
    std::string model;        ///< fingerprint of the model alone
    std::string figures;      ///< JSON, the supervisor's own
    WallTime learned_at;      ///< kept to the millisecond
};

class CorrectionRepository {
  public:
    static constexpr std::size_t most_rows = 10'000;

    explicit CorrectionRepository(Database& database, std::size_t most = most_rows) noexcept
        : database_(&database), most_(most) {}

    /// The oldest first.
    Result<std::vector<CorrectionRow>> load_all();

    /// Adds or replaces by fingerprint, and drops the oldest beyond the limit.
    Result<void> put(const CorrectionRow& row);

  private:
    Database* database_;
    std::size_t most_;
};

}  // namespace routerd
