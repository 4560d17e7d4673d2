#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd {

class Database;

/// One download, under way or over.
struct PullRow {
    std::int64_t id = 0;  ///< given by insert()
    std::string ref;      ///< as it was asked for
    std::string state;    ///< "active", "paused", "complete", "failed"
    std::string code;     ///< why it is not active, an error's word; empty: somebody wanted that
    std::string error;
    std::string hint;
    std::string request;              ///< JSON
    std::string plan;                 ///< JSON; empty: its source was not asked yet
    std::vector<std::string> models;  ///< ids of what it brought
    WallTime created_at;              ///< kept to the millisecond
    std::optional<WallTime> finished_at;
};

/// How far one file is.
struct TransferRow {
    std::string path;  ///< the file's own, absolute, without ".part"
    std::string etag;
    std::optional<std::uint64_t> size;
    std::string written;  ///< ranges, as Extents::to_text() has them
    std::string synced;   ///< the same: what outlives a power cut
    std::string boot_id;  ///< of the boot in which `written` holds
    std::string sha256;   ///< when it is whole and verified
};

class PullRepository {
  public:
    explicit PullRepository(Database& database) noexcept : database_(&database) {}

    /// The oldest first.
    Result<std::vector<PullRow>> load_all();

    /// The id that it gave the row.
    Result<std::int64_t> insert(const PullRow& row);

    /// All of the row but its reference and its creation. Errors: not_found.
    Result<void> update(const PullRow& row);

    /// Errors: not_found.
    Result<void> remove(std::int64_t id);

  private:
    Database* database_;
};

class TransferRepository {
  public:
    explicit TransferRepository(Database& database) noexcept : database_(&database) {}

    Result<std::optional<TransferRow>> find(std::string_view path);

    /// Survives the end of the process when it returns, and a power cut some time later: it is
    /// written many times a second.
    Result<void> save(const TransferRow& row);

    /// Of all files, in their order.
    Result<std::vector<std::string>> paths();

    /// No error when there is none.
    Result<void> remove(std::string_view path);

  private:
    Database* database_;
};

}  // namespace routerd
