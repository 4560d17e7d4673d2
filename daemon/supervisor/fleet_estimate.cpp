// The part of the fleet that says what a load would need and do, without doing it.
#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/estimate/saturating.hpp"
#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {
namespace {

using scheduler::Footprint;
using scheduler::Ledger;
using scheduler::World;
using Verdict = EstimateReport::Verdict;

bool is_as_configured(const EstimateOptions& options) {
    return !options.context && !options.parallel && !options.cache_type;
}

Result<void> check(const EstimateOptions& options) {
    constexpr unsigned most_tokens = 1U << 28U;
    constexpr unsigned most_slots = 1024;
    const auto bad = [](const std::string& param, const std::string& wanted) {
        return Error(Errc::invalid_request, param + " must be " + wanted).with_param(param);
    };
    if (options.context && (*options.context == 0 || *options.context > most_tokens)) {
        return bad("context", "a number of tokens between 1 and " + std::to_string(most_tokens));
    }
    if (options.parallel && (*options.parallel == 0 || *options.parallel > most_slots)) {
        return bad("parallel", "a number of slots between 1 and " + std::to_string(most_slots));
    }
    if (options.cache_type && !cache_type(*options.cache_type)) {
        return bad("cache_type", "f32, f16, bf16, q8_0, q4_0, q4_1, iq4_nl, q5_0 or q5_1, not '" +
                                     escaped(*options.cache_type) + "'");
    }
    return {};
}

std::shared_ptr<const Model> with_options(const Model& model, const EstimateOptions& options) {
    auto copy = std::make_shared<Model>(model);
    auto& settings = copy->settings;
    settings.context = options.context ? options.context : settings.context;
    settings.parallel = options.parallel ? options.parallel : settings.parallel;
    if (options.cache_type) {
        settings.cache_type_k = options.cache_type;
        settings.cache_type_v = options.cache_type;
    }
    return copy;
}

std::vector<Footprint> footprints_of(const std::vector<MemoryOption>& ways) {
    std::vector<Footprint> footprints;
    for (const auto& way : ways) {
        footprints.push_back(way.footprint);
    }
    return footprints;
}

std::uint64_t free_on(const World& world, const std::string& device) {
    const auto budget = world.budgets.find(device);
    if (budget == world.budgets.end()) {
        return 0;
    }
    auto used = budget->second.foreign;
    for (const auto& [id, resident] : world.residents) {
        const auto held = resident.reserved.find(device);
        used = sat_add(used, held == resident.reserved.end() ? 0 : held->second);
    }
    return sat_sub(budget->second.usable, used);
}

/// The way that the scheduler would take: one that fits now, else when `evictions` are gone, else
/// on the empty machine, else the best.
const MemoryOption& way_taken(const std::vector<MemoryOption>& ways, const std::string& model,
                              const World& world, const std::vector<scheduler::Drain>& evictions) {
    const auto& places = scheduler::places_of(world, model);
    const auto now = Ledger::now(world);
    auto after = now;
    for (const auto& eviction : evictions) {
        const auto victim = world.residents.find(eviction.instance);
        if (victim != world.residents.end()) {
            after.give(victim->second.reserved, victim->second.places);
        }
    }
    for (const auto& ledger : {now, after, Ledger::empty(world)}) {
        const auto fits = std::ranges::find_if(
            ways, [&](const auto& way) { return ledger.fits(way.footprint, places); });
        if (fits != ways.end()) {
            return *fits;
        }
    }
    return ways.front();
}

std::vector<EstimateReport::Row> rows_of(const MemoryOption& way, const World& world) {
    std::vector<EstimateReport::Row> rows;
    const auto add = [&](const std::string& device, const DeviceBytes& bytes) {
        EstimateReport::Row row;
        row.device = device;
        row.bytes = bytes;
        const auto needed = way.footprint.find(device);
        row.needed = needed == way.footprint.end() ? 0 : needed->second;
        row.free = free_on(world, device);
        const auto budget = world.budgets.find(device);
        row.usable = budget == world.budgets.end() ? 0 : budget->second.usable;
        rows.push_back(std::move(row));
    };
    for (const auto& need : way.estimate.devices) {
        add(need.device, need.bytes);
    }
    for (const auto& [device, bytes] : way.footprint) {
        if (way.estimate.find(device) == nullptr) {
            add(device, {});
        }
    }
    return rows;
}

bool never_fits(const scheduler::Reason& reason) {
    return reason.why == scheduler::Why::would_not_fit ||
           reason.why == scheduler::Why::all_pinned ||
           reason.why == scheduler::Why::no_room_for_extra;
}

std::string count_of(std::size_t count) {
    return count == 1 ? "one model" : std::to_string(count) + " models";
}

/// Why it does not fit now although nothing is evicted for it.
std::string describe_lack(const Ledger::Lack& lack, const World& world) {
    if (lack.device.empty()) {
        return "all places " +
               (lack.group.empty() ? std::string() : "of group '" + lack.group + "' ") +
               "are taken by models that may not go now";
    }
    const auto budget = world.budgets.find(lack.device);
    const auto foreign = budget == world.budgets.end() ? 0 : budget->second.foreign;
    return "it needs " + format_bytes(lack.wanted) + " on '" + lack.device + "', where " +
           format_bytes(lack.free) + " are free" +
           (foreign == 0 ? std::string()
                         : "; other processes use " + format_bytes(foreign) + " there");
}

void judge(EstimateReport& report, const scheduler::Scheduler::Plan& plan,
           const std::vector<MemoryOption>& ways, const World& world) {
    if (plan.refusal) {
        report.verdict = never_fits(*plan.refusal) ? Verdict::would_not_fit : Verdict::waits;
        report.reason = scheduler::describe(*plan.refusal);
        return;
    }
    for (const auto& drain : plan.evictions) {
        report.evictions.push_back(
            {drain.instance, drain.model, scheduler::describe(drain.reason)});
    }
    if (!plan.evictions.empty()) {
        report.verdict = Verdict::evicts;
        report.reason = "it fits once " + count_of(plan.evictions.size()) +
                        (plan.evictions.size() == 1 ? " has" : " have") + " made room";
        return;
    }
    if (ways.empty()) {
        report.verdict = Verdict::unknown;
        report.reason = "how much memory its server would take is not known";
        return;
    }
    const auto& way = way_taken(ways, report.model, world, plan.evictions);
    const auto lack =
        Ledger::now(world).lack(way.footprint, scheduler::places_of(world, report.model));
    report.verdict = lack ? Verdict::waits : Verdict::fits;
    report.reason = lack ? describe_lack(*lack, world) : "it fits beside what is loaded";
}

}  // namespace

std::string_view to_string(EstimateReport::Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::loaded:
            return "loaded";
        case Verdict::fits:
            return "fits";
        case Verdict::evicts:
            return "evicts";
        case Verdict::waits:
            return "waits";
        case Verdict::would_not_fit:
            return "would_not_fit";
        case Verdict::unknown:
            break;
    }
    return "unknown";
}

/// The scheduler as it would stand with this way to run the model: a server of it that runs with
/// other parameters would have to go first.
scheduler::Scheduler Fleet::Core::trial_of(const std::string& id,
                                           const std::vector<MemoryOption>& ways,
                                           const EstimateOptions& options) const {
    auto trial = scheduler_;  // a value; what comes of it is not carried out
    const auto now = steady_now();
    if (!is_as_configured(options)) {
        trial.set_placements(id, footprints_of(ways), now);
        for (const auto& [instance, resident] : scheduler_.world().residents) {
            if (resident.model == id) {
                trial.on_exited(instance, {}, now);
            }
        }
    }
    trial.forget_failures(id);
    return trial;
}

Result<EstimateReport> Fleet::Core::estimate(const std::string& id,
                                             const EstimateOptions& options) const {
    const auto checked = check(options);
    if (!checked) {
        return checked.error().within("estimate '" + escaped(id) + "'");
    }
    const auto found = enabled_model(id);
    if (found == nullptr) {
        return Error(Errc::not_found, "no model '" + escaped(id) + "', or it is disabled")
            .with_hint("routerctl ls --all shows what there is");
    }
    if (is_elsewhere(*found)) {
        EstimateReport report;
        report.model = id;
        report.verdict = Verdict::fits;
        report.reason =
            "it runs elsewhere (" + found->settings.url.value_or("") + ") and needs no memory here";
        report.slots = backend_of(*found)->slots(*found, *config_);
        return report;
    }
    const auto asked = with_options(*found, options);
    const auto command = command_line(*asked);
    if (!command) {
        return command.error().within("estimate '" + id + "'");
    }
    const auto planned = prepare(asked);
    const auto& ways = planned.options;
    const auto trial = trial_of(id, ways, options);
    const auto plan = trial.plan(id, steady_now());
    EstimateReport report;
    report.model = id;
    const auto* resident = scheduler_.world().resident_of(id);
    if (is_as_configured(options) && resident != nullptr && !resident->is_leaving()) {
        report.verdict = Verdict::loaded;
        report.reason = "its server is " + std::string(to_string(view(id).state));
    } else {
        judge(report, plan, ways, trial.world());
    }
    report.slots = planned.launch ? static_cast<unsigned>(planned.launch->slots) : 1;
    if (!ways.empty()) {
        const auto& way = way_taken(ways, id, trial.world(), plan.evictions);
        report.devices = rows_of(way, trial.world());
        report.context_per_slot = way.estimate.context_per_slot;
        report.gpu_layers = way.estimate.gpu_layers;
        report.learned = way.learned;
        report.growth = way.estimate.growth;
    }
    return report;
}

}  // namespace routerd
