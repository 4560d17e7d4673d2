#include "daemon/supervisor/memory_book.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "common/base/units.hpp"
#include "daemon/estimate/estimate.hpp"
#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

constexpr std::string_view host = "host";

/// Kept free when nothing is configured: what the system needs beside the models.
std::uint64_t usual_reserve(std::uint64_t total) {
    return std::min(total / 20, 2 * gib);
}

std::uint64_t size_of_file(const std::string& path) {
    std::error_code ec;
    const auto size = std::filesystem::file_size(path, ec);
    return ec ? 0 : size;
}

/// Files that are read into memory beside the model.
std::uint64_t companions(const Model& model) {
    std::uint64_t bytes = model.mmproj.empty() ? 0 : size_of_file(model.mmproj);
    const auto& adapters = model.settings.lora ? *model.settings.lora : model.adapters;
    for (const auto& adapter : adapters) {
        bytes = sat_add(bytes, size_of_file(adapter));
    }
    return bytes;
}

std::uint64_t on_host(const Estimate& estimate) {
    const auto* need = estimate.find(host);
    return need == nullptr ? 0 : need->bytes.total();
}

std::uint64_t scaled(std::uint64_t bytes, double factor) {
    constexpr double most = 9e18;
    return static_cast<std::uint64_t>(std::min(static_cast<double>(bytes) * factor, most));
}

}  // namespace

bool MemoryBook::note(const DeviceReadings& readings, std::uint64_t ours) {
    const bool had_gpus = std::exchange(has_gpus_, readings.devices.size() > 1);
    const auto* reading = readings.find(host);
    if (reading == nullptr || reading->error) {
        return had_gpus != has_gpus_;
    }
    const auto total_before = host_ ? host_->total : 0;
    const auto used = sat_sub(reading->total, reading->free);
    host_ = Host{.total = reading->total, .foreign = sat_sub(used, ours)};
    return had_gpus != has_gpus_ || total_before != reading->total;
}

bool MemoryBook::would_fit(const scheduler::Footprint& footprint) const {
    const auto need = footprint.find(std::string(host));
    return !host_ || need == footprint.end() || need->second <= usable();
}

/// Of the host, without what is kept in reserve.
std::uint64_t MemoryBook::unreserved() const {
    const auto reserve = config_.reserve.find(std::string(host));
    const auto kept =
        reserve == config_.reserve.end() ? usual_reserve(host_->total) : reserve->second;
    return sat_sub(host_->total, kept);
}

std::uint64_t MemoryBook::usable() const {
    const auto budget = config_.budget.find(std::string(host));
    return budget == config_.budget.end() ? unreserved() : std::min(unreserved(), budget->second);
}

std::map<std::string, scheduler::Budget> MemoryBook::budgets() const {
    if (!host_) {
        return {};
    }
    // With a budget below what the machine has, others take the part that is not ours first.
    const auto left = sat_sub(unreserved(), host_->foreign);
    const scheduler::Budget budget{.usable = usable(), .foreign = sat_sub(usable(), left)};
    return {{std::string(host), budget}};
}

std::optional<scheduler::Footprint> MemoryBook::footprint(const Model& model,
                                                          const LaunchParameters& launch) const {
    const bool uses_gpus = has_gpus_ && launch.gpu_layers != std::uint64_t{0};
    if (!host_ || uses_gpus) {
        return std::nullopt;
    }
    const auto fresh = estimate_memory(model.metadata, launch);
    const auto known = corrections_.find(fingerprint(model.metadata, launch));
    const auto bytes = known == corrections_.end() ? scaled(on_host(fresh), config_.safety_factor)
                                                   : on_host(corrected(fresh, known->second));
    return scheduler::Footprint{{std::string(host), sat_add(bytes, companions(model))}};
}

std::optional<unsigned> MemoryBook::fitting_context(
    const Model& model, const std::function<LaunchParameters(unsigned)>& with) const {
    constexpr unsigned step = 256;
    constexpr unsigned least = 4096;
    const auto fits = [this, &model](const LaunchParameters& launch) {
        const auto need = footprint(model, launch);
        return !need || would_fit(*need);
    };
    if (model.metadata.context_length <= least || !fits(with(least))) {
        return std::nullopt;
    }
    constexpr std::uint64_t longest = 1U << 30U;
    auto lower = least / step;  // fits
    auto upper = static_cast<unsigned>(std::min(model.metadata.context_length, longest) / step) + 1;
    while (lower + 1 < upper) {
        const auto middle = lower + (upper - lower) / 2;
        (fits(with(middle * step)) ? lower : upper) = middle;
    }
    return lower * step;
}

void MemoryBook::learn(const Model& model, const LaunchParameters& launch, std::uint64_t resident) {
    Observed observed;
    observed.ready_resident = resident;
    const auto fresh = estimate_memory(model.metadata, launch);
    corrections_[fingerprint(model.metadata, launch)] = routerd::learn(fresh, observed);
}

}  // namespace routerd
