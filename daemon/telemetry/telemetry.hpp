#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "daemon/metrics/request_metrics.hpp"
#include "daemon/telemetry/model_counts.hpp"
#include "daemon/telemetry/request_history.hpp"

namespace routerd {

/// What the daemon remembers of its requests and models: metrics and history, always on. Owned by
/// App, core loop only. Store and EventLog must outlive it; stop() must have returned before its
/// destruction, if start() was called.
class Telemetry {
  public:
    Telemetry(const asio::any_io_executor& executor, Store& store, EventLog& events)
        : core_(requests_.add_shard()), models_(events), history_(executor, store) {}

    /// Once, before the first record(). Errors: the database's.
    asio::awaitable<Result<void>> start() { return history_.start(); }
    asio::awaitable<void> stop() { return history_.stop(); }

    /// One request is over. Part of every request's cost: some 100 ns, no system call.
    void record(const FinishedRequest& request);

    RequestHistory& history() noexcept { return history_; }

    /// What is counted here: requests, models' servers, the history's own losses.
    void write(metrics::Text& text) const;

  private:
    metrics::RequestMetrics requests_;
    metrics::RequestShard& core_;
    ModelCounts models_;
    RequestHistory history_;
};

}  // namespace routerd
