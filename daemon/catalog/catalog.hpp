#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/api/event.hpp"
#include "common/base/result.hpp"
#include "common/config/paths.hpp"
#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/catalog/profile.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

class Store;

/// What one scan found and changed.
struct ScanReport {
    std::size_t found = 0;  ///< models that can be offered
    std::size_t added = 0;
    std::size_t removed = 0;
    std::vector<BrokenFile> broken;
    std::chrono::milliseconds took{0};
};

/// Which models exist: finds their files, names them, lays configuration, the active profile and
/// the user's overrides over what the files say, and publishes the outcome as immutable snapshots.
/// Owned by App, core loop only; scanning and building run on the pool it is given. Every change is
/// in the store before the call that made it returns. What was begun is carried to its end, even
/// when the caller is cancelled meanwhile: stop() must have returned before it is destroyed.
class Catalog {
  public:
    /// What a catalogue works with. The references must outlive it.
    struct Surroundings {
        asio::any_io_executor executor;  ///< the core loop
        Store& store;
        asio::thread_pool& pool;  ///< for what blocks
        api::EventSink events;
        Environment environment;  ///< where the stores of other programs are looked for
    };

    Catalog(Surroundings surroundings, const Config& config);

    /// With the process's own environment.
    Catalog(const asio::any_io_executor& executor, Store& store, asio::thread_pool& pool,
            const Config& config, api::EventSink events);
    ~Catalog();
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;

    /// Reads what the store remembers and scans for the first time. Call once, before all else.
    asio::awaitable<Result<void>> start();

    /// Never null; empty before start().
    SnapshotPtr snapshot() const noexcept;

    /// Scans again; a call during a scan waits for it and then scans once more. With `dir` (which
    /// must lie in a scanned directory) the report tells of that directory only.
    /// Errors: invalid_request.
    asio::awaitable<Result<ScanReport>> rescan(std::optional<std::string> dir = std::nullopt);

    /// Edits the user's overrides of one model (all changes or none) and returns it as it is then.
    /// Errors: model_not_found, invalid_request (unknown key with the nearest, bad value), conflict
    /// (an alias that is another model's name), unavailable (the store).
    asio::awaitable<Result<std::shared_ptr<const Model>>> change(std::string name,
                                                                 std::vector<KeyChange> changes);

    /// What `switch` remembers. Errors: model_not_found, conflict (the model is disabled),
    /// unavailable.
    asio::awaitable<Result<std::shared_ptr<const Model>>> set_default(std::string name);

    /// Forgets it: the configured default counts again.
    asio::awaitable<Result<void>> clear_default();

    asio::awaitable<Result<std::vector<Profile>>> profiles();
    asio::awaitable<Result<Profile>> profile(std::string name);

    /// The name is made a slug. Errors: invalid_request, conflict (it exists), model_not_found.
    asio::awaitable<Result<Profile>> create_profile(Profile profile);

    /// Writes an existing one anew; when it is the active one, the difference is in force when this
    /// returns. Errors: not_found, model_not_found, invalid_request.
    asio::awaitable<Result<Profile>> replace_profile(Profile profile);

    /// Errors: not_found, conflict (it is the active one).
    asio::awaitable<Result<void>> remove_profile(std::string name);

    /// Makes it the active one, as one transaction. The user's overrides of what it decides are
    /// removed, the others stay above it. Errors: not_found, unavailable.
    asio::awaitable<Result<Profile>> use_profile(std::string name);
    /// No profile is active any more; its settings go, and the default model stays as it is.
    asio::awaitable<Result<void>> leave_profile();
    const std::string& active_profile() const noexcept;

    /// Ids to load at start, by the active profile or the configuration; {"*"} is put in words.
    std::vector<std::string> preload() const;

    /// Called on the core loop after each snapshot that differs from the one before.
    void on_change(std::function<void()> callback);

    /// Notices changes on the disk until cancelled; App spawns it in a TaskGroup. Returns at once
    /// when [models] watch is off.
    asio::awaitable<void> watch();

    /// Waits for what was begun: changes and scans. Nothing may be called afterwards.
    asio::awaitable<void> stop();

    /// A reloaded configuration: new directories are scanned, models laid out anew.
    asio::awaitable<Result<void>> apply(const Config& config);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace routerd
