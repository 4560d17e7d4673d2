#pragma once

#include <cstdint>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "common/base/result.hpp"
#include "daemon/store/instances.hpp"

namespace routerd {

/// Where the rows of running servers are kept. An interface so that the fleet's tests need no
/// database; the daemon's is StoredRows. Core loop only.
class InstanceRows {
  public:
    virtual ~InstanceRows() = default;

    /// Durable when it returns. `row.id` is given by the caller.
    virtual boost::asio::awaitable<Result<void>> insert(InstanceRow row) = 0;
    virtual boost::asio::awaitable<Result<void>> remove(std::int64_t id) = 0;

    struct All {
        std::vector<InstanceRow> rows;
        std::int64_t last_id = 0;  ///< the highest ever given
    };
    virtual boost::asio::awaitable<Result<All>> all() = 0;
};

}  // namespace routerd
