#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "daemon/supervisor/correction_rows.hpp"
#include "daemon/supervisor/instance_rows.hpp"

namespace routerd::test {

/// The rows of running servers without a database; what is in it outlives a fleet, as rows do.
class MemoryRows : public InstanceRows {
  public:
    boost::asio::awaitable<Result<void>> insert(InstanceRow row) override {
        if (is_full) {
            co_return Error(Errc::unavailable, "disk full");
        }
        last_id_ = std::max(last_id_, row.id);
        rows[row.id] = std::move(row);
        co_return Result<void>();
    }

    boost::asio::awaitable<Result<void>> remove(std::int64_t id) override {
        rows.erase(id);
        co_return Result<void>();
    }

    boost::asio::awaitable<Result<All>> all() override {
        All all;
        all.last_id = last_id_;
        for (const auto& [id, row] : rows) {
            all.rows.push_back(row);
        }
        co_return all;
    }

    std::map<std::int64_t, InstanceRow> rows;
    bool is_full = false;  ///< nothing can be inserted

  private:
    std::int64_t last_id_ = 0;
};

/// The same for what loads taught.
class MemoryCorrections : public CorrectionRows {
  public:
    boost::asio::awaitable<Result<void>> put(CorrectionRow row) override {
        rows[row.fingerprint] = std::move(row);
        if (on_put) {
            on_put();
        }
        co_return Result<void>();
    }

    boost::asio::awaitable<Result<std::vector<CorrectionRow>>> all() override {
        std::vector<CorrectionRow> all;
        for (const auto& [fingerprint, row] : rows) {
            all.push_back(row);
        }
        co_return all;
    }

    std::map<std::string, CorrectionRow> rows;
    std::function<void()> on_put;
};

}  // namespace routerd::test
