#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/thread_pool.hpp>

#include "common/base/result.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/store/database.hpp"
#include "daemon/store/open.hpp"

namespace routerd {

/// The daemon's memory: one database and the one thread that may touch it, so that changes happen
/// in the order they were asked for. Owned by App. join() must have returned before the io_context
/// of any caller of run() is destroyed; the destructor joins.
class Store {
  public:
    /// Opens `<state_dir>/state.db` (see open_state_database()). Blocks: before the loop runs.
    static Result<std::unique_ptr<Store>> open(const std::string& state_dir);

    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    const OpenReport& report() const noexcept { return report_; }

    /// Runs `work`, a `Result<T>(Database&)` that holds copies of what it uses and does not throw,
    /// on the store thread, and resumes the caller on its own executor. When it reports success,
    /// what it committed is on disk. It runs to its end even when the caller is cancelled
    /// meanwhile. `work` must be a named lambda at the call (g++ 12):
    ///     auto save = [row](Database& database) { return SettingsRepository(database).set(…); };
    ///     const auto saved = co_await store.run(std::move(save));
    template <class Work>
    asio::awaitable<std::invoke_result_t<Work&, Database&>> run(Work work) {
        auto job = [this, work = std::move(work)]() mutable { return work(database_); };
        co_return co_await run_on(thread_, std::move(job));
    }

    /// Waits for the work that was given; run() must not be called any more.
    void join();

  private:
    Store(Database database, OpenReport report);

    Database database_;
    OpenReport report_;
    asio::thread_pool thread_{1};
};

}  // namespace routerd
