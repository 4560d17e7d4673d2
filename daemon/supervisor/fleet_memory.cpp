// The part of the fleet that counts bytes: what models need, what servers hold, what there is.
#include <map>
#include <utility>

#include "common/base/log.hpp"
#include "daemon/estimate/saturating.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {
namespace {

/// How often is looked for what other processes take, while nothing of ours happens.
constexpr auto memory_period = std::chrono::seconds(5);

}  // namespace

scheduler::Footprint Fleet::Core::Look::on_gpus(pid_t pid) const {
    scheduler::Footprint held;
    for (const auto& reading : readings.devices) {
        for (const auto& process : reading.processes) {
            if (process.pid == pid && process.bytes) {
                held[reading.device.id] = *process.bytes;
            }
        }
    }
    return held;
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
    std::vector<pid_t> numbers;
    for (const auto& [id, kept] : instances_) {
        if (const auto pid = kept.instance->pid(); pid > 0) {
            pids.emplace(id, pid);
            numbers.push_back(pid);
        }
    }
    const auto lessons = std::exchange(lessons_due_, {});
    // One at a time: only watch_memory() calls it.
    auto work = [this, pids = std::move(pids), numbers = std::move(numbers)] {
        Look found;
        for (const auto& [id, pid] : pids) {
            if (const auto memory = read_process_memory(services_.roots, pid)) {
                found.servers.emplace(id, *memory);
            }
        }
        // After the servers: what one of them gives back meanwhile must not look like another's.
        found.readings = devices_.read(numbers);
        return found;
    };
    const auto look = co_await run_on(services_.pool, std::move(work));
    const bool is_another_machine = memory_.note(look.readings, held_by_us(look));
    if (is_another_machine) {
        carry_out(scheduler_.set_models(model_rules(), turn_now()));
    }
    finish_lessons(lessons, look);
    note_growth(look);
    carry_out(scheduler_.set_budgets(memory_.budgets(), turn_now()));
    ask_programs();
}

/// Of the host what servers have for themselves; of a GPU what it says that they have, and where it
/// does not say what is reserved for them.
scheduler::Footprint Fleet::Core::held_by_us(const Look& look) const {
    scheduler::Footprint sum;
    for (const auto& [id, memory] : look.servers) {
        auto& host = sum["host"];
        host = sat_add(host, memory.anonymous, memory.shared);
    }
    for (const auto& [id, kept] : instances_) {
        const auto pid = kept.instance->pid();
        auto held = pid > 0 ? look.on_gpus(pid) : scheduler::Footprint();
        const auto resident = scheduler_.world().residents.find(id);
        if (resident != scheduler_.world().residents.end()) {
            held.insert(resident->second.reserved.begin(), resident->second.reserved.end());
        }
        held.erase("host");
        for (const auto& [device, bytes] : held) {
            sum[device] = sat_add(sum[device], bytes);
        }
    }
    return sum;
}

/// Servers that hold more than was expected of them.
void Fleet::Core::note_growth(const Look& look) {
    for (const auto& [id, memory] : look.servers) {
        const auto resident = scheduler_.world().residents.find(id);
        const auto kept = instances_.find(id);
        if (resident == scheduler_.world().residents.end() || kept == instances_.end()) {
            continue;
        }
        auto holds = look.on_gpus(kept->second.instance->pid());
        holds["host"] = memory.resident;
        auto reserved = resident->second.reserved;
        bool has_grown = false;
        for (auto& [device, bytes] : reserved) {
            const auto now = holds.find(device);
            if (now != holds.end() && bytes < now->second) {
                bytes = now->second;
                has_grown = true;
            }
        }
        if (has_grown) {
            carry_out(scheduler_.on_measured(id, std::move(reserved), turn_now()));
        }
    }
}

void Fleet::Core::learn_from(const Instance& instance) {
    // A short read of a file in memory, and it must come before the first request.
    const auto held = read_process_memory(services_.roots, instance.pid());
    if (!held) {
        spdlog::warn("what '{}' takes of memory is not known: {}", instance.plan().model,
                     held.error().message());
        return;
    }
    Observed observed;
    observed.ready_resident = held->resident;
    if (teach(instance, observed)) {
        lessons_due_[instance.plan().id] = held->resident;
        memory_due_.notify();  // what its log and the GPUs say comes a moment later
    }
}

/// With what is known of the rest now; these lessons are kept.
void Fleet::Core::finish_lessons(const std::map<std::uint64_t, std::uint64_t>& resident,
                                 const Look& look) {
    for (const auto& [id, bytes] : resident) {
        const auto kept = instances_.find(id);
        if (kept == instances_.end() || !kept->second.instance->is_ready()) {
            continue;
        }
        const auto& instance = *kept->second.instance;
        Observed observed;
        observed.ready_resident = bytes;
        observed.logged = instance.logged_memory();
        for (const auto& [device, held] : look.on_gpus(instance.pid())) {
            observed.held.push_back({device, held});
        }
        if (auto lesson = teach(instance, observed); lesson && services_.corrections != nullptr) {
            tasks_.spawn(keep_lesson(std::move(*lesson)));
        }
    }
}

std::optional<Lesson> Fleet::Core::teach(const Instance& instance, const Observed& observed) {
    const auto found = enabled_model(instance.plan().model);
    const auto planned = found ? prepare(found) : Planned();
    if (!planned.launch || planned.options.empty() ||
        planned.fingerprint != instance.plan().fingerprint) {
        return std::nullopt;
    }
    const auto& where = instance.plan().where;
    auto lesson = memory_.learn(*planned.model, *planned.launch, where, observed);
    const auto after = prepare(found);
    if (!after.options.empty()) {
        auto option = memory_.option_at(*after.model, *after.launch, where);
        carry_out(
            scheduler_.on_measured(instance.plan().id, std::move(option->footprint), turn_now()));
        carry_out(scheduler_.set_placements(found->id, after.placements, turn_now()));
    }
    return lesson;
}

}  // namespace routerd
