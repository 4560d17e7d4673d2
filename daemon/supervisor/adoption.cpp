// The part of the fleet that takes over from the daemon before.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/process/identity.hpp"
#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {
namespace {

Result<void> make_private_folder(const std::string& path) {
    std::error_code ec;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ec);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return errno_error("make the folder '" + path + "'", errno);
    }
    return {};
}

ProcessIdentity identity_in(const InstanceRow& row) {
    return {.pid = row.pid, .start_ticks = row.start_ticks, .boot_id = row.boot_id};
}

/// Ends the processes that earlier daemons with our state directory started and that belong to no
/// server that lives on: the daemon died between their start and the commit of their row, or they
/// were left by a server. `own`: the mark of this daemon, which may start others meanwhile.
std::size_t kill_strays(const std::string& owner, std::string_view own,
                        const std::vector<std::int64_t>& living) {
    std::vector<std::string> spared;
    for (const auto id : living) {
        spared.push_back(owner + "#" + std::to_string(id));
    }
    std::vector<ProcessIdentity> strays;
    for (auto& [process, environment] : processes_started_with("ROUTERD_OWNER=" + owner)) {
        const auto server = environment_value(environment, "ROUTERD_INSTANCE");
        if (environment_value(environment, "ROUTERD_STARTED_BY") != own &&
            std::ranges::find(spared, server) == spared.end()) {
            strays.push_back(std::move(process));
        }
    }
    return kill_processes(strays);
}

}  // namespace

asio::awaitable<Result<void>> Fleet::Core::adopt(std::vector<Legacy::Held> held) {
    for (const auto& folder :
         {config_->state.dir, config_->state.dir + "/logs", config_->state.runtime_dir}) {
        const auto made = make_private_folder(folder);
        if (!made) {
            co_return made.error();
        }
    }
    auto follower = LogFollower::make(services_.executor);
    if (!follower) {
        co_return follower.error();
    }
    follower_ = std::move(*follower);
    tasks_.spawn(follower_->run());
    tasks_.spawn(keep_time());

    co_await recall_lessons();
    co_await look_at_memory();
    tasks_.spawn(watch_memory());

    const auto all = co_await services_.rows.all();
    if (!all) {
        co_return all.error().within("read the rows of running servers");
    }
    auto last = static_cast<scheduler::InstanceId>(all->last_id);
    for (const auto& one : held) {  // of servers elsewhere, too, which have no row
        last = std::max(last, one.instance);
    }
    scheduler_.number_from(last + 1);
    std::vector<std::int64_t> living;
    for (const auto& row : all->rows) {
        const bool lives = adopt_row(row, held);
        if (lives) {
            living.push_back(row.id);
            continue;
        }
        if (!row.unix_path.empty()) {
            ::unlink(row.unix_path.c_str());
        }
        const auto removed = co_await services_.rows.remove(row.id);
        if (!removed) {
            co_return removed.error().within("forget a server that is gone");
        }
    }
    carry_out(scheduler_.set_models(model_rules(), std::chrono::steady_clock::now()));
    memory_due_.notify();  // what the adopted servers hold looked like others' so far

    tasks_.spawn(end_strays(std::move(living)));
    co_await wait_for_adopted();
    co_return Result<void>();
}

/// Nobody waits for it: on a machine with thousands of processes it takes longer than a request
/// may.
asio::awaitable<void> Fleet::Core::end_strays(std::vector<std::int64_t> living) {
    auto sweep = [owner = config_->state.dir, own = mark_, living = std::move(living)] {
        return kill_strays(owner, own, living);
    };
    const auto killed = co_await run_on(services_.pool, std::move(sweep));
    if (killed > 0) {
        spdlog::warn("killed {} processes that an earlier daemon left behind", killed);
        memory_due_.notify();
    }
}

/// Those of `held` that are the instance's, which become tickets of ours.
std::vector<scheduler::Scheduler::Inherited> Fleet::Core::inherit(
    std::uint64_t instance, const std::vector<Legacy::Held>& held) {
    std::vector<scheduler::Scheduler::Inherited> grants;
    for (const auto& one : held) {
        if (one.instance != instance) {
            continue;
        }
        Demand demand;
        demand.model = instances_.at(instance).instance->plan().model;
        demand.key = one.key;
        auto state = std::make_unique<Waiting>(door_, next_ticket_++, services_.executor, demand,
                                               decisions_.stamp());
        grants.push_back({state->id, one.key, one.has_slot});
        if (one.is_limited && limiter_.follows()) {
            limiter_.add(one.key);
            limited_.emplace(state->id, one.key);
        }
        // Nobody here talks to it: the connection is the other process's.
        state->settle(Granted{instance, std::make_shared<ModelServer>(Endpoint()), {}, {}});
        inherited_.emplace_back(one.ticket, std::move(state));
    }
    return grants;
}

std::vector<std::pair<std::uint64_t, Ticket>> Fleet::Core::take_inherited() {
    return std::exchange(inherited_, {});
}

bool Fleet::Core::adopt_row(const InstanceRow& row, const std::vector<Legacy::Held>& held) {
    auto child = Child::adopt(identity_in(row));
    if (!child) {
        return false;
    }
    const auto id = static_cast<std::uint64_t>(row.id);
    const auto rules = scheduler_.world().models.find(row.model);
    const auto most = rules == scheduler_.world().models.end() ? 1U : rules->second.instances;
    const bool is_used = std::ranges::find(held, id, &Legacy::Held::instance) != held.end();
    if (scheduler_.world().residents_of(row.model).size() >= most && !is_used) {
        return false;  // one too many of the same model: ended by the destructor of `child`
    }
    const auto log = log_of(row.log_path.empty() ? log_path(row.model) : row.log_path);
    if (!log) {
        spdlog::warn("adopt '{}': {}", row.model, log.error().message());
        return false;
    }
    const auto model = enabled_model(row.model);
    Instance::Plan life;
    if (model) {
        life = plan_for(model, id, {});
    } else {  // it only lives until set_models() ends it
        life.id = id;
        life.model = row.model;
        life.backend = find_backend("");
        life.owner = config_->state.dir;
        life.started_by = mark_;
        life.start_timeout = config_->limits.start_timeout;
        life.stop_timeout = config_->limits.stop_timeout;
    }
    life.fingerprint = row.argv_hash;
    life.slots = row.slots;

    scheduler::Resident resident;
    resident.id = id;
    resident.model = row.model;
    resident.fingerprint = row.argv_hash;
    resident.slots = row.slots;
    resident.started = std::chrono::steady_clock::now();
    if (model) {
        const auto planned = prepare(model);
        if (const auto* option = option_of(planned, row); option != nullptr) {
            life.where = option->where;
            resident.reserved = option->footprint;
        }
    }
    auto instance =
        std::make_unique<Instance>(std::move(life), tools(), *log, row, std::move(*child));
    instances_[id] = {std::move(instance), false};
    carry_out(scheduler_.on_adopted(resident, inherit(id, held), resident.started));
    tasks_.spawn(run_instance(id));
    return true;
}

/// A server that is ready answers at once; one that still loads is waited for by its requests.
asio::awaitable<void> Fleet::Core::wait_for_adopted() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    const auto is_asked = [](const auto& entry) {
        const auto& instance = *entry.second.instance;
        return !entry.second.ended && instance.state() == InstanceState::starting &&
               !instance.loads();
    };
    while (std::ranges::any_of(instances_, is_asked)) {
        const bool changed_in_time = co_await adopted_.wait_until(deadline);
        if (!changed_in_time) {
            co_return;
        }
    }
}

}  // namespace routerd
