#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "common/base/result.hpp"
#include "daemon/net/net.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/store/requests.hpp"
#include "daemon/telemetry/finished_request.hpp"
#include "daemon/telemetry/subscription.hpp"

namespace routerd {

class Store;

/// The requests that were answered: the newest in memory, all of them; older ones in the database,
/// where they are written a second later and every five seconds at most, in one go, so that a
/// request costs no more than a few copies of short texts: what SQLite runs on is cold each time,
/// and costs as much as the rows. When very many come in that time only some are written, those
/// that failed first. A database that takes nothing (disk full) costs the history of that time and
/// nothing else. Core loop only. stop() must have returned before destruction, if start() was
/// called; the Store must outlive it.
class RequestHistory {
  public:
    static constexpr std::size_t most_listed = 1000;  ///< requests, as one list

    struct Limits {
        std::size_t kept = 1000;                   ///< in memory
        std::size_t written = 500;                 ///< of those of one interval
        std::size_t longest = 500;                 ///< bytes of one text
        std::chrono::milliseconds delay{1000};     ///< from the first of them to their writing
        std::chrono::milliseconds interval{5000};  ///< from one writing to the next
    };

    RequestHistory(const asio::any_io_executor& executor, Store& store, Limits limits);
    RequestHistory(const asio::any_io_executor& executor, Store& store)
        : RequestHistory(executor, store, Limits{}) {}
    RequestHistory(const RequestHistory&) = delete;
    RequestHistory& operator=(const RequestHistory&) = delete;

    /// Once, before the first add(): goes on from what is in the database. Errors: the database's.
    asio::awaitable<Result<void>> start();

    /// Writes what is not yet written and returns.
    asio::awaitable<void> stop();

    /// Does not wait, makes no system call, and allocates only until the texts of `kept` requests
    /// have their room.
    void add(const FinishedRequest& request);

    /// The newest first, from memory and database. Errors: the database's, when it had to be asked.
    asio::awaitable<Result<std::vector<RequestRow>>> newest(RequestFilter filter);

    /// Those in memory after `id`, the oldest first.
    std::vector<RequestRow> after(std::uint64_t id) const;

    /// Of the newest request; 0 before the first ever.
    std::uint64_t last_id() const noexcept { return last_id_; }

    /// Requests that were not written, since the start.
    std::uint64_t skipped() const noexcept { return skipped_; }

    /// `callback` is called after each add() until the Subscription ends; it must not wait.
    Subscription subscribe(std::function<void()> callback) {
        return grown_.subscribe(std::move(callback));
    }

  private:
    RequestRow& next_slot();
    /// The i-th newest, from 0; i < rows_.size().
    const RequestRow& recent(std::size_t i) const noexcept;
    TimePoint write_at() const noexcept;
    asio::awaitable<void> keep_writing();
    asio::awaitable<void> write();
    void choose(bool failed, std::size_t there, std::vector<const RequestRow*>& chosen) const;
    std::size_t take_batch();
    void report(const Result<void>& outcome, std::size_t count);

    Store& store_;
    Limits limits_;
    std::vector<RequestRow> rows_;  // a ring once it is full
    std::size_t newest_ = 0;        // where the newest row is in it
    // Copies of those to write. Used again each time, with the room of their texts; the store holds
    // it too while it writes them.
    std::shared_ptr<std::vector<RequestRow>> batch_ = std::make_shared<std::vector<RequestRow>>();
    std::uint64_t last_id_ = 0;
    std::size_t unwritten_ = 0;  // of the newest rows; more than there are: some were overwritten
    std::uint64_t skipped_ = 0;
    bool failing_ = false;  // and it was said
    bool stopping_ = false;
    Signal work_;                          // there is something to write, or stop()
    std::optional<TimePoint> written_at_;  // the last time
    Signal hurried_;                       // stop(): write at once
    Broadcast<> grown_;
    TaskGroup tasks_;
};

}  // namespace routerd
