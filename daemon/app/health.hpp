#pragma once

#include <chrono>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/http/routes.hpp"

namespace routerd {

class Store;

/// /livez and /readyz. Core loop only.
class Health {
  public:
    explicit Health(Store& store) : store_(store) {}

    std::vector<Route> routes();

    /// From when on /readyz may say yes; and no more once the daemon is stopping.
    void set_ready(bool ready) noexcept { ready_ = ready; }

    /// What /readyz asks. Errors: unavailable, and what the database says.
    asio::awaitable<Result<void>> check();

  private:
    asio::awaitable<Result<Response>> readyz(Exchange& exchange);
    asio::awaitable<Result<void>> database_writes();

    Store& store_;
    bool ready_ = false;
    TimePoint written_;  // the last write that succeeded
};

}  // namespace routerd
