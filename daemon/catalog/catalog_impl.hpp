#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "daemon/catalog/assemble.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/headers.hpp"
#include "daemon/catalog/identity.hpp"
#include "daemon/catalog/scan.hpp"
#include "daemon/catalog/turns.hpp"
#include "daemon/catalog/watcher.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/store/store.hpp"

namespace routerd {

/// The catalogue's state and work, in four files: catalog.cpp (life), catalog_scan.cpp,
/// catalog_changes.cpp, catalog_profiles.cpp. Private to them. Core loop only.
class Catalog::Impl {
  public:
    Impl(Surroundings surroundings, const Config& config);

    asio::awaitable<Result<void>> start();
    asio::awaitable<Result<ScanReport>> rescan(std::optional<std::string> dir);
    asio::awaitable<Result<std::shared_ptr<const Model>>> change(std::string name,
                                                                 std::vector<KeyChange> changes);
    asio::awaitable<Result<std::shared_ptr<const Model>>> set_default(std::string name);
    asio::awaitable<Result<void>> clear_default();
    asio::awaitable<Result<Profile>> create_profile(Profile profile);
    asio::awaitable<Result<Profile>> replace_profile(Profile profile);
    asio::awaitable<Result<void>> remove_profile(std::string name);
    asio::awaitable<Result<Profile>> use_profile(std::string name);
    asio::awaitable<Result<void>> leave_profile();
    asio::awaitable<Result<void>> apply(Config config);
    asio::awaitable<void> watch();

    std::vector<Profile> profiles() const;
    Result<Profile> profile(const std::string& name) const;
    std::vector<std::string> preload() const;

    /// Runs `work` to its end, whatever becomes of the caller, and gives what it returned.
    template <class T>
    asio::awaitable<T> finish(asio::awaitable<T> work);

    TaskGroup tasks;
    SnapshotPtr snapshot = std::make_shared<const Snapshot>();
    std::string active_profile;
    std::vector<std::function<void()>> on_change;

  private:
    /// What the store remembers, as start() reads it.
    struct Memory;
    /// What a scan on the pool hands back.
    struct Scanned;

    asio::awaitable<Result<Memory>> remember();
    ScanPlan plan(std::string again) const;
    Layers layers() const;
    asio::awaitable<ScanReport> scan_all(std::string dir);
    asio::awaitable<void> save_scan(Headers::Changes changes, KnownIds contested);
    asio::awaitable<void> publish();
    asio::awaitable<Result<void>> keep_profile(Profile profile);
    void report_scan(const ScanReport& report);
    void report_missed_folders();
    asio::awaitable<bool> look();
    TimePoint next_look(bool is_unsettled);
    asio::awaitable<Result<void>> keep_default(std::string id);
    asio::awaitable<Result<void>> put_in_force(std::string profile, Overrides overrides,
                                               std::optional<std::string> default_model);
    void tell(std::string type, std::string model, std::string message);

    asio::any_io_executor executor_;
    Store& store_;
    asio::thread_pool& pool_;
    api::EventSink events_;
    Environment environment_;
    Config config_;

    /// Shared with the work on the pool that reads it, which may outlive a change of this pointer.
    std::shared_ptr<const Found> found_ = std::make_shared<const Found>();
    Headers headers_;
    KnownIds saved_ids_;  // as the store has them
    Overrides overrides_;
    std::map<std::string, Profile> profiles_;
    std::string chosen_default_;
    std::unique_ptr<Watcher> watcher_;  // nullptr: not watching
    std::shared_ptr<Watcher::Missed> missed_ = std::make_shared<Watcher::Missed>();
    std::size_t looks_ = 0;  // in a row at files that did not settle

    Turns scans_;    // one scan at a time
    Turns changes_;  // one change of what is published at a time; taken after scans_
};

template <class T>
asio::awaitable<T> Catalog::Impl::finish(asio::awaitable<T> work) {
    struct Outcome {
        explicit Outcome(const asio::any_io_executor& executor)
            : done(executor, TimePoint::max()) {}
        std::optional<T> value;
        bool ended = false;
        asio::steady_timer done;
    };
    struct End {
        Outcome& outcome;
        ~End() {
            outcome.ended = true;
            outcome.done.cancel();
        }
    };
    // Owned by the task and by the caller, either of which may end first.
    auto outcome = std::make_shared<Outcome>(executor_);
    auto task = [](asio::awaitable<T> todo, std::shared_ptr<Outcome> to) -> asio::awaitable<void> {
        const End end{*to};
        auto value = co_await std::move(todo);
        to->value.emplace(std::move(value));
    };
    tasks.spawn(task(std::move(work), outcome));
    while (!outcome->ended) {
        co_await outcome->done.async_wait(no_throw);
    }
    if (!outcome->value) {
        throw std::logic_error(
            "the catalogue's work ended by an exception");  // logged by the group
    }
    co_return std::move(*outcome->value);
}

}  // namespace routerd
