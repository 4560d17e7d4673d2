#include "daemon/pull/job.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/api/codec.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/pull/hub_cache.hpp"
#include "daemon/pull/plan_json.hpp"
#include "daemon/store/store.hpp"
#include "daemon/transfer/part_file.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t files_at_once = 3;

}  // namespace

Job::Job(Pulls& pulls, PullRow row)
    : pulls_(pulls),
      row_(std::move(row)),
      stopped_(pulls.services_.executor),
      retry_(pulls.services_.executor) {
    const auto request = api::decode<api::PullRequest>(row_.request);
    request_ = request ? *request : api::PullRequest();
    request_.ref = row_.ref;
    stopped_.expires_at(TimePoint::max());
    if (!row_.plan.empty()) {
        auto plan = plan_from_json(row_.plan);
        plan_ = plan ? std::optional(std::move(*plan)) : std::nullopt;
        files_.resize(plan_ ? plan_->files.size() : 0);
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
        files_[i].view.size = plan_->files[i].size;
        files_[i].view.sha256 = plan_->files[i].sha256;
        files_[i].view.is_complete = row_.state == "complete";
        files_[i].view.done = row_.state == "complete" ? plan_->files[i].size.value_or(0) : 0;
    }
}

Job::~Job() = default;

void Job::changed() {
    pulls_.changed_.tell(std::to_string(row_.id));
}

void Job::tell(const std::string& type, const std::string& message) const {
    api::Event event;
    event.type = type;
    event.model = row_.models.empty() ? "" : row_.models.front();
    event.message = message;
    event.details = {{"pull", std::to_string(row_.id)}, {"ref", row_.ref}};
    pulls_.services_.events(std::move(event));
}

Sources Job::sources() const {
    return {pulls_.config_, pulls_.services_.environment, pulls_.services_.memory()};
}

bool Job::uses_hub_cache() const {
    return plan_ && plan_->in_hub_cache;
}

std::string Job::root() const {
    return plan_ ? plan_->root : pulls_.config_.dir;
}

std::string Job::path_below_root(const RemoteFile& file) const {
    return uses_hub_cache() ? hub_blob_path(*plan_, file) : file.path;
}

std::string Job::shown_path(const RemoteFile& file) const {
    return root() + "/" + (uses_hub_cache() ? hub_snapshot_path(*plan_, file) : file.path);
}

std::vector<std::string> Job::paths() const {
    std::vector<std::string> paths;
    if (plan_) {
        for (const auto& file : plan_->files) {
            paths.push_back(root() + "/" + path_below_root(file));
        }
    }
    return paths;
}

asio::awaitable<Result<void>> Job::save() {
    auto write = [row = row_](Database& database) { return PullRepository(database).update(row); };
    co_return co_await pulls_.services_.store.run(std::move(write));
}

asio::awaitable<Result<void>> Job::save_state(std::string state, const Error* why) {
    row_.state = std::move(state);
    row_.code = why == nullptr ? "" : std::string(to_string(why->code()));
    row_.error = why == nullptr ? "" : why->message();
    row_.hint = why == nullptr ? "" : why->hint();
    row_.finished_at = row_.state == "complete" || row_.state == "failed"
                           ? std::optional(std::chrono::system_clock::now())
                           : std::nullopt;
    auto saved = co_await save();
    changed();
    co_return saved;
}

void Job::use(const api::PullChange& change) {
    request_.limit_rate = change.limit_rate ? change.limit_rate : request_.limit_rate;
    request_.connections = change.connections ? change.connections : request_.connections;
    row_.request = api::encode(request_);
    limit_files();
}

void Job::use_token(const std::string& token) {
    request_.token = token;
    row_.request = api::encode(request_);
}

void Job::stop(Stop why) {
    stop_ = why;
    retry_.notify();
    pulls_.transfers_.stop(transfer_);
    for (const auto& file : files_) {
        if (file.shared != nullptr) {
            file.shared->wake();
        }
    }
}

asio::awaitable<void> Job::wait_stopped() {
    while (running_) {
        co_await stopped_.async_wait(no_throw);
    }
}

asio::awaitable<void> Job::run(bool patient) {
    running_ = true;
    stop_ = Stop::none;
    failed_.reset();
    next_file_ = 0;
    auto done = co_await carry_out(patient);
    co_await end(done);
    running_ = false;
    stopped_.cancel();
    changed();
}

asio::awaitable<Result<void>> Job::carry_out(bool patient) {
    const auto reference = parse_reference(row_.ref);
    if (!reference) {
        co_return reference.error();
    }
    reference_ = *reference;
    auto read = [from = sources(), what = reference_, asked = request_.token] {
        return token_for(from, what, asked);
    };
    token_ = co_await run_on(pulls_.services_.pool, std::move(read));
    if (!plan_) {
        const auto planned = co_await make_plan(patient);
        if (!planned) {
            co_return planned.error();
        }
    }
    const auto room = co_await check_room();
    if (!room) {
        co_return room.error();
    }
    const auto brought = co_await bring_all(patient);
    if (!brought) {
        co_return brought.error();
    }
    co_return co_await adopt();
}

asio::awaitable<Result<void>> Job::make_plan(bool patient) {
    auto delay = std::chrono::seconds(1);
    while (true) {
        transfer_ = pulls_.transfers_.next_id();
        auto plan = co_await resolve(pulls_.transfers_, transfer_, sources(), request_, token_);
        if (stop_ != Stop::none) {
            co_return Error(Errc::cancelled, "stopped");
        }
        if (plan) {
            plan_ = std::move(*plan);
            plan_->in_hub_cache =
                pulls_.config_.layout == PullLayout::hub && fits_hub_cache(*plan_);
            plan_->root = plan_->in_hub_cache ? hub_cache_folder(pulls_.services_.environment)
                                              : pulls_.config_.dir;
            break;
        }
        if (!patient || plan.error().code() != Errc::unavailable) {
            co_return plan.error();
        }
        co_await retry_.wait_until(steady_now() + delay);
        delay = std::min(delay * 2, std::chrono::seconds(60));
    }
    files_ = std::vector<File>(plan_->files.size());
    for (std::size_t i = 0; i < files_.size(); ++i) {
        files_[i].view.size = plan_->files[i].size;
        files_[i].view.sha256 = plan_->files[i].sha256;
    }
    row_.plan = to_json(*plan_);
    changed();
    co_return co_await save();
}

/// For all files together, before the first byte of any.
asio::awaitable<Result<void>> Job::check_room() const {
    std::uint64_t coming = 0;
    for (const auto& file : plan_->files) {
        coming += file.size.value_or(0);
    }
    auto check = [root = root(), paths = paths(), coming]() mutable {
        std::uint64_t held = 0;
        for (const auto& path : paths) {
            held += transfer::held_bytes(path);
        }
        return transfer::expect_room(root, coming - std::min(held, coming));
    };
    co_return co_await run_on(pulls_.services_.pool, std::move(check));
}

/// A limit that was asked for was checked then.
std::uint64_t Job::limit_rate() const {
    const auto rate =
        request_.limit_rate ? parse_bytes(*request_.limit_rate) : Result<std::uint64_t>(0);
    return rate ? *rate : 0;
}

std::uint64_t Job::rate_of_one() const {
    const auto running =
        std::ranges::count_if(files_, [](const File& file) { return file.shared != nullptr; });
    return limit_rate() / static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(running, 1));
}

void Job::limit_files() {
    const auto connections = request_.connections.value_or(pulls_.config_.connections);
    for (const auto& file : files_) {
        if (file.shared != nullptr) {
            file.shared->work().limit(rate_of_one(), connections);
        }
    }
}

asio::awaitable<Result<void>> Job::bring_all(bool patient) {
    TaskGroup group(pulls_.services_.executor, "files of a pull");
    for (std::size_t i = 0; i < std::min(files_at_once, files_.size()); ++i) {
        group.spawn(bring_next(patient));
    }
    co_await group.wait();
    if (failed_) {
        co_return *failed_;
    }
    co_return stop_ == Stop::none ? Result<void>()
                                  : Result<void>(Error(Errc::cancelled, "stopped"));
}

asio::awaitable<void> Job::bring_next(bool patient) {
    while (next_file_ < files_.size() && !failed_ && stop_ == Stop::none) {
        const auto index = next_file_++;
        const auto brought = co_await bring(index, patient);
        if (!brought && !failed_ && stop_ == Stop::none) {
            failed_ = brought.error();
            for (const auto& file : files_) {
                if (file.shared != nullptr) {
                    file.shared->wake();
                }
            }
        }
    }
}

Result<FileOrder> Job::order_of(std::size_t index, bool patient) const {
    auto policy = policy_for(sources(), reference_, request_.insecure);
    if (!policy) {
        return policy.error();
    }
    FileOrder order{.root = root(),
                    .file = plan_->files[index],
                    .token = token_,
                    .policy = std::move(*policy),
                    .connections = request_.connections.value_or(pulls_.config_.connections),
                    .limit_rate = rate_of_one(),
                    .patient = patient,
                    .typed = std::holds_alternative<UrlReference>(reference_)};
    order.file.path = path_below_root(order.file);
    return order;
}

/// Joins the transfer of that file where there is one, or begins it.
asio::awaitable<Result<void>> Job::bring(std::size_t index, bool patient) {
    auto order = order_of(index, patient);
    if (!order) {
        co_return order.error();
    }
    const auto path = order->root + "/" + order->file.path;
    co_await pulls_.wait_for_removals();
    auto& entry = pulls_.files_[path];
    if (!entry) {
        FileWork::Services services{pulls_.transfers_, pulls_.services_.store,
                                    pulls_.services_.pool, [this] { changed(); }};
        entry = std::make_unique<SharedFile>(pulls_.services_.executor, std::move(services),
                                             std::move(*order));
        pulls_.tasks_.spawn(entry->run());
    }
    auto& shared = *entry;
    ++shared.users;
    files_[index].shared = &shared;
    limit_files();
    while (!shared.result() && stop_ == Stop::none && !failed_) {
        co_await shared.wait();
        changed();
    }
    const bool is_last = --shared.users == 0;
    if (is_last && !shared.result()) {
        shared.work().stop();
    }
    while (is_last && !shared.result()) {
        co_await shared.wait();
    }
    files_[index].view = shared.work().view();
    files_[index].shared = nullptr;
    auto result = shared.result().value_or(Result<void>(Error(Errc::cancelled, "stopped")));
    if (is_last && shared.users == 0) {
        pulls_.files_.erase(path);
    }
    limit_files();
    co_return result;
}

asio::awaitable<void> Job::end(const Result<void>& done) {
    if (stop_ == Stop::shutdown && !done) {
        co_return;
    }
    Result<void> saved = Result<void>();
    if (done) {
        request_.token.reset();
        row_.request = api::encode(request_);
        saved = co_await save_state("complete", nullptr);
        tell("pull.complete", "'" + escaped(plan_->name) + "' is here");
    } else if (stop_ == Stop::pause) {
        saved = co_await save_state("paused", nullptr);
        tell("pull.paused", "'" + escaped(row_.ref) + "' is paused");
    } else if (transfer::is_disk_full(done.error())) {
        const Error why = Error(Errc::unavailable, "disk full: " + done.error().message())
                              .with_hint("free some room, then 'routerctl pulls resume " +
                                         std::to_string(row_.id) + "'");
        saved = co_await save_state("paused", &why);
        tell("pull.paused", "'" + escaped(row_.ref) + "' is paused: " + why.message());
    } else {
        const auto why = done.error();
        saved = co_await save_state("failed", &why);
        tell("pull.failed", "'" + escaped(row_.ref) + "': " + why.message());
    }
    if (!saved) {
        spdlog::error("write down the end of pull {}: {}", row_.id, saved.error().message());
    }
}

}  // namespace routerd::pull
