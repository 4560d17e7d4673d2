#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace routerd {

class Database;

/// One request that was answered: figures only, nothing of what was asked or answered.
struct RequestRow {
    std::uint64_t id = 0;  ///< rises from row to row, with gaps
    WallTime started;      ///< kept to the millisecond
    std::string request;   ///< its x-request-id
    std::string endpoint;  ///< path
    std::string model;     ///< id; empty when none was resolved
    unsigned status = 0;   ///< sent, or 499 when the client left first
    std::string error;     ///< empty when all went well
    bool stream = false;
    std::uint64_t bytes = 0;  ///< of the answer's body
    std::optional<std::uint64_t> prompt_tokens;
    std::optional<std::uint64_t> completion_tokens;
    std::optional<double> tokens_per_second;
    std::chrono::microseconds queued{0};
    std::chrono::microseconds loaded{0};
    std::chrono::microseconds first_byte{0};  ///< 0: no answer came
    std::chrono::microseconds took{0};

    bool operator==(const RequestRow&) const = default;
};

/// Which of the requests are wanted. Name one before a coroutine takes it (g++ 12).
struct RequestFilter {
    std::size_t limit = 50;
    std::optional<std::uint64_t> before;  ///< only those with a smaller id
    std::string model;                    ///< empty: of all models and of none
    std::chrono::microseconds slow{0};    ///< only those that took so long
    bool failed = false;                  ///< only those with a status from 400 on
    std::optional<WallTime> since;        ///< only those that started then or later

    bool wants(const RequestRow& row) const;
};

class RequestRepository {
  public:
    static constexpr std::size_t most_rows = 100'000;

    explicit RequestRepository(Database& database, std::size_t most = most_rows) noexcept
        : database_(&database), most_(most) {}

    /// Adds rows, whose ids rise, and drops the oldest beyond the limit, in one transaction, which
    /// does not wait for the disk: it comes each second.
    Result<void> add(std::span<const RequestRow> rows);

    /// The newest first.
    Result<std::vector<RequestRow>> newest(const RequestFilter& filter);

    /// The highest id, 0 when there is no row.
    Result<std::uint64_t> last_id();

  private:
    Database* database_;
    std::size_t most_;
};

}  // namespace routerd
