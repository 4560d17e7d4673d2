// The part of the fleet that counts bytes: what models need, what servers hold, what there is.
#include <map>
#include <utility>

#include <spdlog/spdlog.h>

#include "daemon/devices/process_memory.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {
namespace {

/// How often is looked for what other processes take, while nothing of ours happens.
constexpr auto memory_period = std::chrono::seconds(5);

/// What a look at the machine found, from a pool thread.
struct Look {
    DeviceReadings readings;
    std::map<std::uint64_t, ProcessMemory> servers;  ///< by instance
};

}  // namespace

void Fleet::Core::learn_from(const Instance& instance) {
    const auto id = instance.plan().id;
    const auto found = enabled_model(instance.plan().model);
    const auto planned = found ? prepare(found) : Planned();
    if (!planned.launch || planned.fingerprint != instance.plan().fingerprint) {
        return;
    }
    // A short read of a file in memory, and it must come before the first request.
    const auto held = read_process_memory(services_.roots, instance.pid());
    if (!held) {
        spdlog::warn("what '{}' takes of memory is not known: {}", found->id,
                     held.error().message());
        return;
    }
    memory_.learn(*planned.model, *planned.launch, held->resident);
    const auto places = prepare(found).placements;
    if (!places.empty()) {
        carry_out(scheduler_.on_measured(id, places.front(), steady_now()));
        carry_out(scheduler_.set_placements(found->id, places, steady_now()));
    }
}

asio::awaitable<void> Fleet::Core::watch_memory() {
    while (!closed_) {
        co_await memory_due_.wait_until(steady_now() + memory_period);
        if (!closed_) {
            co_await look_at_memory();
        }
    }
}

asio::awaitable<void> Fleet::Core::look_at_memory() {
    std::map<std::uint64_t, pid_t> pids;
    for (const auto& [id, kept] : instances_) {
        if (const auto pid = kept.instance->pid(); pid > 0) {
            pids.emplace(id, pid);
        }
    }
    auto look = [this, pids = std::move(pids)] {  // one at a time: only watch_memory() calls it
        Look found;
        for (const auto& [id, pid] : pids) {
            if (const auto memory = read_process_memory(services_.roots, pid)) {
                found.servers.emplace(id, *memory);
            }
        }
        // After the servers: what one of them gives back meanwhile must not look like another's.
        found.readings = devices_.read();
        return found;
    };
    const auto found = co_await run_on(services_.pool, std::move(look));
    std::uint64_t ours = 0;
    for (const auto& [id, memory] : found.servers) {
        ours += memory.anonymous + memory.shared;
    }
    const bool is_another_machine = memory_.note(found.readings, ours);
    for (const auto& [id, memory] : found.servers) {
        const auto resident = scheduler_.world().residents.find(id);
        if (resident == scheduler_.world().residents.end()) {
            continue;
        }
        auto held = resident->second.reserved;
        const auto host = held.find("host");
        if (host != held.end() && host->second < memory.resident) {
            host->second = memory.resident;  // it grew beyond what was expected
            carry_out(scheduler_.on_measured(id, std::move(held), steady_now()));
        }
    }
    carry_out(scheduler_.set_budgets(memory_.budgets(), steady_now()));
    if (is_another_machine) {
        carry_out(scheduler_.set_models(model_rules(), steady_now()));
    }
}

}  // namespace routerd
