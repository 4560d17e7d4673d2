#include "daemon/supervisor/memory_book.hpp"

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

/// Kept free when nothing is configured: of the host what the system needs beside the models, of a
/// GPU what a desktop and the driver take for a moment.
std::uint64_t usual_reserve(const Device& device, std::uint64_t total) {
    return std::min(total / 20, device.kind == DeviceKind::host ? 2 * gib : 1 * gib);
}

bool is_known_name(const std::string& name) {
    return name.starts_with("cuda") || name.starts_with("rocm");
}

}  // namespace

const MemoryBook::Known* MemoryBook::find(std::string_view id) const {
    const auto found =
        std::ranges::find_if(devices_, [id](const Known& known) { return known.device.id == id; });
    return found == devices_.end() ? nullptr : &*found;
}

void MemoryBook::take_reading(const DeviceReading& reading, std::uint64_t ours) {
    auto found = std::ranges::find_if(
        devices_, [&reading](const Known& known) { return known.device.id == reading.device.id; });
    if (found == devices_.end()) {
        found = devices_.insert(found, Known{.device = reading.device, .error = {}});
    }
    if (reading.error) {
        found->error = reading.error->message();
        return;
    }
    const auto used = sat_sub(reading.total, reading.free);
    *found = Known{.device = reading.device,
                   .total = reading.total,
                   .foreign = sat_sub(used, ours),
                   .error = {}};
}

bool MemoryBook::note(const DeviceReadings& readings,
                      const std::map<std::string, std::uint64_t>& ours) {
    const auto before = usable();
    if (readings.problems.empty()) {
        std::erase_if(devices_, [&readings](const Known& known) {
            return readings.find(known.device.id) == nullptr;
        });
    }
    for (auto& known : devices_) {  // a whole kind cannot be read: it does not vanish
        if (readings.find(known.device.id) == nullptr) {
            known.error = readings.problems.front().message();
        }
    }
    for (const auto& reading : readings.devices) {
        const auto held = ours.find(reading.device.id);
        take_reading(reading, held == ours.end() ? 0 : held->second);
    }
    return usable() != before;
}

bool MemoryBook::note_program(const std::string& path, const GpuSupport& support) {
    const auto [known, is_new] = programs_.emplace(path, support);
    return is_new || std::exchange(known->second, support) != support;
}

/// Without what is kept in reserve.
std::uint64_t MemoryBook::unreserved(const Known& known) const {
    const auto reserve = config_.reserve.find(known.device.id);
    return sat_sub(known.total, reserve == config_.reserve.end()
                                    ? usual_reserve(known.device, known.total)
                                    : reserve->second);
}

std::uint64_t MemoryBook::usable(const Known& known) const {
    const auto budget = config_.budget.find(known.device.id);
    const auto most = unreserved(known);
    return budget == config_.budget.end() ? most : std::min(most, budget->second);
}

std::map<std::string, std::uint64_t> MemoryBook::usable() const {
    std::map<std::string, std::uint64_t> all;
    for (const auto& known : devices_) {
        if (known.total > 0) {
            all.emplace(known.device.id, usable(known));
        }
    }
    return all;
}

std::map<std::string, scheduler::Budget> MemoryBook::budgets() const {
    std::map<std::string, scheduler::Budget> all;
    for (const auto& state : devices()) {
        if (state.total > 0) {
            all[state.device.id] = {.usable = state.usable, .foreign = state.foreign};
        }
    }
    return all;
}

std::vector<DeviceState> MemoryBook::devices() const {
    std::vector<DeviceState> states;
    for (const auto& known : devices_) {
        // With a budget below what the machine has, others take the part that is not ours first.
        const auto left = sat_sub(unreserved(known), known.foreign);
        const auto most = usable(known);
        states.push_back({known.device, known.total, most, sat_sub(most, left), known.error});
    }
    return states;
}

Result<void> MemoryBook::check_devices(const Model& model) const {
    if (devices_.empty() || !model.settings.devices) {
        return {};
    }
    std::vector<std::string> there;
    for (const auto& known : devices_) {
        there.push_back(known.device.id);
    }
    const auto& wanted = *model.settings.devices;
    const auto is_host = [](const std::string& name) {
        return to_lower(name) == "host" || to_lower(name) == "cpu";
    };
    const auto hosts = std::ranges::count_if(wanted, is_host);
    const auto attempt = "[model.\"" + model.id + "\"] devices";
    if (hosts > 0 && static_cast<std::size_t>(hosts) < wanted.size()) {
        return Error(Errc::load_failed,
                     attempt + " names the host beside GPUs: the host alone means no GPU")
            .with_hint("routerctl set " + model.id + " devices");
    }
    for (const auto& name : wanted) {
        // Names of other kinds ("Vulkan0") are the server's own, and it says what is wrong with
        // them.
        const auto id = to_lower(name);
        if (is_known_name(id) && find(id) == nullptr) {
            return Error(Errc::load_failed, attempt + " names '" + escaped(name) +
                                                "', which is not there: this machine has " +
                                                join(there, ", "))
                .with_hint("routerctl unset " + model.id + " devices");
        }
    }
    return {};
}

std::optional<unsigned> MemoryBook::fitting_context(
    const Model& model, const std::function<LaunchParameters(unsigned)>& with) const {
    constexpr unsigned step = 256;
    constexpr unsigned least = 4096;
    if (model.metadata.context_length <= least) {
        return std::nullopt;
    }
    if (const auto launch = with(least); !fits_well(model, launch)) {
        const auto ways = options(model, launch);
        return fits_within(ways.front().footprint, usable()) ? std::optional(least) : std::nullopt;
    }
    constexpr std::uint64_t longest = 1U << 30U;
    auto lower = least / step;  // fits
    auto upper = static_cast<unsigned>(std::min(model.metadata.context_length, longest) / step) + 1;
    while (lower + 1 < upper) {
        const auto middle = lower + (upper - lower) / 2;
        (fits_well(model, with(middle * step)) ? lower : upper) = middle;
    }
    return lower * step;
}

}  // namespace routerd
