#include "daemon/pull/pulls.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/api/codec.hpp"
#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/pull/job.hpp"
#include "daemon/store/store.hpp"

namespace routerd {

using pull::Job;

namespace {

transfer::TransferSettings settings_of(const PullConfig& config) {
    transfer::TransferSettings settings;
    settings.limit_rate = config.limit_rate;
    settings.stall_timeout = config.stall_timeout;
    settings.proxy = config.proxy;
    return settings;
}

Result<void> check_sha256(const std::optional<std::string>& digest) {
    constexpr std::size_t digits = 64;
    const auto is_hex = [](char c) {
        return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f');
    };
    if (digest && (digest->size() != digits || !std::ranges::all_of(*digest, is_hex))) {
        return Error(Errc::invalid_request, "a SHA-256 has 64 hexadecimal digits")
            .with_param("sha256");
    }
    return {};
}

Result<void> check_rate(const std::optional<std::string>& rate) {
    const auto bytes = rate ? parse_bytes(*rate) : Result<std::uint64_t>(0);
    return bytes ? Result<void>() : Result<void>(bytes.error().with_param("limit_rate"));
}

Result<void> check_connections(const std::optional<unsigned>& connections) {
    constexpr unsigned most = 64;
    if (connections && (*connections == 0 || *connections > most)) {
        return Error(Errc::invalid_request, "connections are 1 to 64").with_param("connections");
    }
    return {};
}

/// What only who sits at this machine may ask for.
Result<void> check_right(const api::PullRequest& request, const pull::Reference& reference,
                         bool is_local) {
    if (is_local) {
        return {};
    }
    if (request.insecure || std::holds_alternative<pull::FileReference>(reference)) {
        return Error(Errc::forbidden,
                     "files of the router's machine and origins of its network are for the control "
                     "socket alone")
            .with_hint("use routerctl there, or let the operator set [pull] allow");
    }
    return {};
}

Result<pull::Reference> check(const api::PullRequest& request, bool is_local) {
    auto reference = pull::parse_reference(request.ref);
    if (!reference) {
        return reference.error().with_param("ref");
    }
    for (const auto& checked :
         {check_sha256(request.sha256), check_rate(request.limit_rate),
          check_connections(request.connections), check_right(request, *reference, is_local)}) {
        if (!checked) {
            return checked.error();
        }
    }
    return reference;
}

}  // namespace

Pulls::Pulls(Services services, const Config& config)
    : services_(std::move(services)),
      config_(config.pull),
      transfers_(services_.executor, settings_of(config_)),
      tasks_(services_.executor, "pull"),
      removals_over_(services_.executor, TimePoint::max()) {}

Pulls::~Pulls() = default;

asio::awaitable<Result<void>> Pulls::start() {
    stopping_ = false;
    auto load = [](Database& database) { return PullRepository(database).load_all(); };
    const auto rows = co_await services_.store.run(load);
    if (!rows) {
        co_return rows.error();
    }
    jobs_.clear();
    for (const auto& row : *rows) {
        auto& job = jobs_[row.id];
        job = std::make_unique<Job>(*this, row);
        if (job->is_active()) {
            tasks_.spawn(job->run(true));
        }
    }
    co_return Result<void>();
}

asio::awaitable<void> Pulls::stop() {
    stopping_ = true;
    for (const auto& [id, job] : jobs_) {
        if (job->is_running()) {
            job->stop(Job::Stop::shutdown);
        }
    }
    co_await tasks_.wait();
}

void Pulls::apply(const Config& config) {
    config_ = config.pull;
    transfers_.change(settings_of(config_));
}

Job* Pulls::job(std::string_view id) const {
    const auto number = number_in<std::int64_t>(id);
    const auto found = number ? jobs_.find(*number) : jobs_.end();
    return found == jobs_.end() ? nullptr : found->second.get();
}

Result<Job*> Pulls::known(std::string_view id) const {
    if (auto* const found = job(id)) {
        return found;
    }
    return Error(Errc::not_found, "no pull '" + escaped(id) + "'")
        .with_hint("'routerctl pulls' lists them");
}

std::vector<api::Pull> Pulls::all() const {
    std::vector<api::Pull> pulls;
    for (auto entry = jobs_.rbegin(); entry != jobs_.rend(); ++entry) {
        pulls.push_back(entry->second->view());
    }
    return pulls;
}

Result<api::Pull> Pulls::find(std::string_view id) const {
    const auto found = known(id);
    return found ? Result<api::Pull>((*found)->view()) : Result<api::Pull>(found.error());
}

asio::awaitable<Result<Pulls::Begun>> Pulls::begin(api::PullRequest request, bool is_local) {
    const auto checked = check(request, is_local);
    if (!checked) {
        co_return checked.error();
    }
    if (stopping_) {
        co_return Error(Errc::shutting_down, "routerd is stopping").with_hint("ask again");
    }
    for (const auto& [id, job] : jobs_) {
        if (job->row().ref != request.ref || job->request().include != request.include) {
            continue;
        }
        if (job->is_active()) {
            co_return Begun{job->view(), true};
        }
        if (job->row().state == "paused") {
            auto resumed = co_await resume(std::to_string(id), request.token);
            if (!resumed) {
                co_return resumed.error();
            }
            co_return Begun{std::move(*resumed), true};
        }
    }
    PullRow row;
    row.ref = request.ref;
    row.state = "active";
    row.request = api::encode(request);
    row.created_at = std::chrono::system_clock::now();
    auto insert = [row](Database& database) { return PullRepository(database).insert(row); };
    const auto id = co_await services_.store.run(std::move(insert));
    if (!id) {
        co_return id.error();
    }
    row.id = *id;
    auto& job = jobs_[*id];
    job = std::make_unique<Job>(*this, std::move(row));
    job->tell("pull.begun", "'" + escaped(job->row().ref) + "' is being fetched");
    tasks_.spawn(job->run(false));
    co_return Begun{job->view(), false};
}

asio::awaitable<Result<api::Pull>> Pulls::pause(std::string id) {
    const auto found = known(id);
    if (!found) {
        co_return found.error();
    }
    auto& job = **found;
    if (!job.is_active()) {
        if (job.row().state == "paused") {
            co_return job.view();
        }
        co_return Error(Errc::conflict, "pull " + id + " is " + job.row().state);
    }
    job.stop(Job::Stop::pause);
    co_await job.wait_stopped();
    co_return job.view();
}

asio::awaitable<Result<api::Pull>> Pulls::resume(std::string id, std::optional<std::string> token) {
    const auto found = known(id);
    if (!found) {
        co_return found.error();
    }
    auto& job = **found;
    if (job.row().state == "complete") {
        co_return Error(Errc::conflict, "pull " + id + " is complete");
    }
    if (token) {
        job.use_token(*token);
    }
    if (!job.is_active() && !job.is_running()) {
        const auto saved = co_await job.save_state("active", nullptr);
        if (!saved) {
            co_return saved.error();
        }
        job.tell("pull.resumed", "'" + escaped(job.row().ref) + "' goes on");
        tasks_.spawn(job.run(job.plan().has_value()));
    }
    co_return job.view();
}

asio::awaitable<Result<api::Pull>> Pulls::change(std::string id, api::PullChange change) {
    const auto found = known(id);
    for (const auto& checked :
         {check_rate(change.limit_rate), check_connections(change.connections)}) {
        if (found && !checked) {
            co_return checked.error();
        }
    }
    if (!found) {
        co_return found.error();
    }
    auto& job = **found;
    job.use(change);
    const auto row = job.row();
    auto write = [row](Database& database) { return PullRepository(database).update(row); };
    const auto saved = co_await services_.store.run(std::move(write));
    if (!saved) {
        co_return saved.error();
    }
    co_return job.view();
}

}  // namespace routerd
