// The part of the downloads that takes files and records away.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/pull/job.hpp"
#include "daemon/pull/pulls.hpp"
#include "daemon/store/store.hpp"

namespace routerd {

using pull::Doomed;
using pull::Job;
using pull::Part;
using pull::RemovedFile;

namespace {

bool is_at_rest(const Job& job) {
    return !job.is_active() && !job.is_running();
}

/// None before its source has answered.
void add_files_of(const Job& job, std::vector<Doomed>& files) {
    for (const auto& path : job.paths()) {
        const auto root = job.root();
        files.push_back({root, path.substr(root.size() + 1), path});
    }
}

api::PruneResult result_of(const std::vector<RemovedFile>& files,
                           const std::vector<std::int64_t>& ids) {
    api::PruneResult result;
    for (const auto& file : files) {
        result.removed.push_back({file.path, file.bytes});
        result.freed += file.bytes;
    }
    for (const auto id : ids) {
        result.pulls.push_back(std::to_string(id));
    }
    return result;
}

/// Those of pulls that end, and others that nobody wants; each once, by path.
Result<std::vector<Part>> parts_to_prune(const std::string& dir, const std::vector<Doomed>& ending,
                                         const std::vector<std::string>& wanted) {
    auto parts = pull::find_parts(dir, wanted);
    if (!parts) {
        return parts;
    }
    for (auto& part : pull::parts_of(ending)) {
        const auto is_it = [&part](const Part& other) {
            return other.file.shown == part.file.shown;
        };
        if (std::ranges::none_of(*parts, is_it)) {
            parts->push_back(std::move(part));
        }
    }
    return parts;
}

}  // namespace

class Pulls::Removal {
  public:
    explicit Removal(Pulls& pulls) noexcept : pulls_(pulls) { ++pulls_.removals_; }
    Removal(const Removal&) = delete;
    Removal& operator=(const Removal&) = delete;
    ~Removal() {  // NOLINT(bugprone-exception-escape): cancel() of a timer cannot fail
        if (--pulls_.removals_ == 0) {
            pulls_.removals_over_.cancel();
        }
    }

  private:
    Pulls& pulls_;
};

asio::awaitable<void> Pulls::wait_for_removals() {
    while (removals_ > 0) {
        co_await removals_over_.async_wait(no_throw);
    }
}

Result<void> Pulls::expect_at_rest(const std::vector<std::string>& files) const {
    for (const auto& [id, job] : jobs_) {
        if (is_at_rest(*job)) {
            continue;
        }
        auto coming = job->paths();
        for (const auto& file : job->view().files) {
            coming.push_back(file.path);
        }
        const auto found = std::ranges::find_first_of(files, coming);
        if (found != files.end()) {
            return Error(Errc::conflict, "pull " + std::to_string(id) + " is bringing '" +
                                             escaped(*found) + "'; nothing was removed")
                .with_hint("end it first: routerctl pulls rm " + std::to_string(id));
        }
    }
    return {};
}

asio::awaitable<Result<std::vector<Doomed>>> Pulls::take_aim(std::vector<std::string> files,
                                                             pull::Outside outside) {
    const auto at_rest = expect_at_rest(files);
    if (!at_rest) {
        co_return at_rest.error();
    }
    auto look = [dir = config_.dir, files = std::move(files), outside] {
        return pull::take_aim(dir, files, outside);
    };
    co_return co_await run_on(services_.pool, std::move(look));
}

asio::awaitable<Result<std::vector<RemovedFile>>> Pulls::remove_files(std::vector<Doomed> files) {
    std::vector<std::string> paths;
    paths.reserve(files.size());
    for (const auto& file : files) {
        paths.push_back(file.shown);
    }
    const auto at_rest = expect_at_rest(paths);
    if (!at_rest) {
        co_return at_rest.error();
    }
    const Removal removal(*this);
    auto remove = [files = std::move(files), wanted = wanted_beside({})] {
        return pull::remove_all(files, wanted);
    };
    co_return co_await run_on(services_.pool, std::move(remove));
}

std::vector<std::int64_t> Pulls::ids_at_rest() const {
    std::vector<std::int64_t> ids;
    for (const auto& [id, job] : jobs_) {
        if (is_at_rest(*job)) {
            ids.push_back(id);
        }
    }
    return ids;
}

/// Nobody finds them any more. Not those that went on, or were removed, meanwhile.
Pulls::Jobs Pulls::take_at_rest(const std::vector<std::int64_t>& ids) {
    Jobs taken;
    for (const auto id : ids) {
        const auto found = jobs_.find(id);
        if (found != jobs_.end() && is_at_rest(*found->second)) {
            taken.insert(jobs_.extract(found));
        }
    }
    return taken;
}

/// Paths of the files that the other pulls bring, or may go on with.
std::vector<std::string> Pulls::wanted_beside(const std::vector<std::int64_t>& ids) const {
    std::vector<std::string> wanted;
    for (const auto& [id, job] : jobs_) {
        if (job->row().state != "complete" && std::ranges::find(ids, id) == ids.end()) {
            std::ranges::move(job->paths(), std::back_inserter(wanted));
        }
    }
    return wanted;
}

asio::awaitable<Result<void>> Pulls::forget(const std::vector<std::int64_t>& ids,
                                            std::vector<std::string> wanted) {
    auto work = [ids, kept = std::set<std::string>(wanted.begin(), wanted.end())](
                    Database& database) -> Result<void> {
        auto transaction = Transaction::begin(database);
        if (!transaction) {
            return transaction.error();
        }
        TransferRepository transfers(database);
        const auto paths = transfers.paths();
        if (!paths) {
            return paths.error();
        }
        for (const auto& path : *paths) {
            const auto removed = kept.contains(path) ? Result<void>() : transfers.remove(path);
            if (!removed) {
                return removed;
            }
        }
        for (const auto id : ids) {
            const auto removed = PullRepository(database).remove(id);
            if (!removed && removed.error().code() != Errc::not_found) {
                return removed;
            }
        }
        return transaction->commit();
    };
    co_return co_await services_.store.run(std::move(work));
}

/// Removes these parts but what others want, then the records of these pulls and of all files that
/// nobody wants.
asio::awaitable<Result<std::vector<RemovedFile>>> Pulls::end_jobs(std::vector<std::int64_t> ids,
                                                                  std::vector<Part> parts) {
    const Removal removal(*this);
    auto ending = take_at_rest(ids);  // a job lives until nobody who found it waits for the store
    std::erase_if(ids, [&ending](std::int64_t id) { return !ending.contains(id); });
    const auto wanted = wanted_beside({});
    auto remove = [parts = std::move(parts), wanted] { return pull::remove_parts(parts, wanted); };
    auto removed = co_await run_on(services_.pool, std::move(remove));
    Result<void> forgotten = Result<void>();
    if (removed) {
        forgotten = co_await forget(ids, wanted);
    }
    if (!removed || !forgotten) {
        jobs_.merge(ending);
        co_return removed ? forgotten.error() : removed.error();
    }
    for (const auto id : ids) {
        changed_.tell(std::to_string(id));
    }
    co_return removed;
}

asio::awaitable<Result<api::PruneResult>> Pulls::prune(api::PruneRequest request) {
    auto ids = request.all ? ids_at_rest() : std::vector<std::int64_t>();
    std::vector<Doomed> ending;
    for (const auto id : ids) {
        add_files_of(*jobs_.at(id), ending);
    }
    auto look = [dir = config_.dir, ending = std::move(ending), wanted = wanted_beside(ids)] {
        return parts_to_prune(dir, ending, wanted);
    };
    auto parts = co_await run_on(services_.pool, std::move(look));
    if (!parts) {
        co_return parts.error();
    }
    if (request.dry_run) {
        std::vector<RemovedFile> files;
        for (const auto& part : *parts) {
            files.push_back({part.file.shown, part.bytes});
        }
        co_return result_of(files, ids);
    }
    const auto removed = co_await end_jobs(ids, std::move(*parts));
    std::erase_if(ids, [this](std::int64_t id) { return jobs_.contains(id); });
    co_return removed ? Result<api::PruneResult>(result_of(*removed, ids))
                      : Result<api::PruneResult>(removed.error());
}

asio::awaitable<Result<api::Pull>> Pulls::remove(std::string id) {
    const auto found = known(id);
    if (!found) {
        co_return found.error();
    }
    if ((*found)->is_running()) {
        (*found)->stop(Job::Stop::pause);
        co_await (*found)->wait_stopped();
    }
    const auto still = known(id);
    if (!still) {
        co_return still.error();
    }
    const auto& job = **still;
    if (!is_at_rest(job)) {
        co_return Error(Errc::conflict, "pull " + id + " was begun again meanwhile");
    }
    const auto view = job.view();
    std::vector<std::int64_t> ids;
    ids.push_back(job.row().id);
    std::vector<Doomed> files;
    add_files_of(job, files);
    auto look = [files = std::move(files)]() -> Result<std::vector<Part>> {
        return pull::parts_of(files);
    };
    auto parts = co_await run_on(services_.pool, std::move(look));
    const auto removed = co_await end_jobs(std::move(ids), std::move(*parts));
    co_return removed ? Result<api::Pull>(view) : Result<api::Pull>(removed.error());
}

}  // namespace routerd
