#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/api/event.hpp"
#include "common/api/pull.hpp"
#include "common/api/removal.hpp"
#include "common/base/result.hpp"
#include "common/config/paths.hpp"
#include "common/config/schema.hpp"
#include "daemon/net/net.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/pull/removal.hpp"
#include "daemon/telemetry/subscription.hpp"
#include "daemon/transfer/transfers.hpp"

namespace routerd {

class Catalog;
class Store;

namespace pull {
class Job;
class SharedFile;
}  // namespace pull

/// The downloads: each is begun once, carried on over restarts, and ends with a model in the
/// catalogue or with a reason. Owned by App, core loop only. stop() must have returned before it is
/// destroyed.
class Pulls {
  public:
    struct Services {
        asio::any_io_executor executor;
        Store& store;
        asio::thread_pool& pool;
        Catalog& catalog;
        api::EventSink events;
        Environment environment;
        std::function<std::optional<std::uint64_t>()> memory;  ///< bytes that a model may need
    };

    Pulls(Services services, const Config& config);
    ~Pulls();
    Pulls(const Pulls&) = delete;
    Pulls& operator=(const Pulls&) = delete;

    /// Reads what the store remembers and goes on with what was under way. Also after stop().
    asio::awaitable<Result<void>> start();

    struct Begun {
        api::Pull pull;
        bool joined = false;  ///< it was under way already
    };

    /// `is_local`: whoever asks may name files of this machine and origins of this network.
    /// Returns when it is kept; errors of what it stands for come later, in its state. Errors:
    /// invalid_request, forbidden, unavailable.
    asio::awaitable<Result<Begun>> begin(api::PullRequest request, bool is_local);

    /// The newest first.
    std::vector<api::Pull> all() const;

    /// Errors of this and of what follows: not_found; conflict where its state forbids it.
    Result<api::Pull> find(std::string_view id) const;

    /// Returns when no byte of it comes any more.
    asio::awaitable<Result<api::Pull>> pause(std::string id);
    /// Of a failed one too. `token`: in place of the one that it had.
    asio::awaitable<Result<api::Pull>> resume(std::string id, std::optional<std::string> token);
    asio::awaitable<Result<api::Pull>> change(std::string id, api::PullChange change);

    /// Ends it, forgets it, and removes what is not whole; what is stays.
    asio::awaitable<Result<api::Pull>> remove(std::string id);

    /// As pull::take_aim() of the folder of downloads. Errors: conflict too (one of them is on its
    /// way).
    asio::awaitable<Result<std::vector<pull::Doomed>>> take_aim(std::vector<std::string> files,
                                                                pull::Outside outside);

    /// As pull::remove_all(), while no pull begins to write. Errors: as above.
    asio::awaitable<Result<std::vector<pull::RemovedFile>>> remove_files(
        std::vector<pull::Doomed> files);

    /// Removes the parts in the folder of downloads that belong to no pull, and what the store
    /// knows of such. Errors: conflict, unavailable.
    asio::awaitable<Result<api::PruneResult>> prune(api::PruneRequest request);

    /// `callback` is called with the id of a pull whenever it is another than before; several times
    /// a second while bytes come. It must not wait.
    Subscription on_change(std::function<void(const std::string&)> callback) {
        return changed_.subscribe(std::move(callback));
    }

    /// A reloaded configuration: for what is begun from now on, and the rate of all at once.
    void apply(const Config& config);

    /// Breaks off what is under way, to be gone on with by start(), here or in another process.
    asio::awaitable<void> stop();

  private:
    friend class pull::Job;
    pull::Job* job(std::string_view id) const;
    Result<pull::Job*> known(std::string_view id) const;
    std::unique_ptr<pull::Job> make_job(std::int64_t id);
    std::string root_for_hub() const;

    /// While one lives no pull begins to write.
    class Removal;
    using Jobs = std::map<std::int64_t, std::unique_ptr<pull::Job>>;

    asio::awaitable<void> wait_for_removals();
    Result<void> expect_at_rest(const std::vector<std::string>& files) const;
    std::vector<std::int64_t> ids_at_rest() const;
    Jobs take_at_rest(const std::vector<std::int64_t>& ids);
    std::vector<std::string> wanted_beside(const std::vector<std::int64_t>& ids) const;
    asio::awaitable<Result<void>> forget(const std::vector<std::int64_t>& ids,
                                         std::vector<std::string> wanted);
    asio::awaitable<Result<std::vector<pull::RemovedFile>>> end_jobs(std::vector<std::int64_t> ids,
                                                                     std::vector<pull::Part> parts);

    Services services_;
    PullConfig config_;
    transfer::Transfers transfers_;
    std::map<std::int64_t, std::unique_ptr<pull::Job>> jobs_;
    std::map<std::string, std::unique_ptr<pull::SharedFile>> files_;  // under way; by path
    Broadcast<std::string> changed_;
    TaskGroup tasks_;
    bool stopping_ = false;
    unsigned removals_ = 0;
    asio::steady_timer removals_over_;  // cancelled when there is none left
};

}  // namespace routerd
