#include "daemon/estimate/learn.hpp"

#include <algorithm>
#include <array>

#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

/// The parts that a log may name: all but overhead.
constexpr std::array<std::uint64_t DeviceBytes::*, 7> parts{
    &DeviceBytes::weights, &DeviceBytes::kv,     &DeviceBytes::recurrent, &DeviceBytes::compute,
    &DeviceBytes::output,  &DeviceBytes::mmproj, &DeviceBytes::lora};

DeviceBytes as_logged(const DeviceNeed& predicted, const std::vector<DeviceNeed>& logged) {
    auto bytes = predicted.bytes;
    const auto found = std::ranges::find(logged, predicted.device, &DeviceNeed::device);
    if (found == logged.end()) {
        return bytes;
    }
    for (const auto part : parts) {
        bytes.*part = found->bytes.*part != 0 ? found->bytes.*part : bytes.*part;
    }
    return bytes;
}

std::uint64_t without_overhead(const DeviceBytes& bytes) {
    return sat_sub(bytes.total(), bytes.overhead);
}

void learn_host(DeviceBytes& host, const Estimate& predicted, const Observed& observed) {
    if (observed.ready_resident) {
        const auto touched =
            sat_add(sat_sub(without_overhead(host), host.compute), predicted.droppable);
        // Under pressure the kernel drops file pages, and the process looks smaller than it is.
        const auto least = host.overhead / 2;
        host.overhead = std::max(sat_sub(*observed.ready_resident, touched), least);
    }
    if (observed.peak_resident) {
        const auto expected = sat_add(host.total(), predicted.droppable);
        host.overhead = sat_add(host.overhead, sat_sub(*observed.peak_resident, expected));
    }
}

void learn_gpu(const std::string& device, DeviceBytes& bytes, const Observed& observed) {
    const auto held = std::ranges::find(observed.held, device, &Observed::Held::device);
    if (held != observed.held.end()) {
        bytes.overhead = sat_sub(held->bytes, without_overhead(bytes));
    }
}

/// fresh * measured / predicted, where a part that was not predicted is what was measured.
std::uint64_t scaled(std::uint64_t fresh, std::uint64_t predicted, std::uint64_t measured) {
    if (predicted == measured) {
        return fresh;
    }
    if (fresh == predicted || predicted == 0) {
        return measured;
    }
    const auto factor = static_cast<long double>(measured) / static_cast<long double>(predicted);
    const auto bytes = static_cast<long double>(fresh) * factor;
    constexpr auto largest = static_cast<long double>(1ULL << 63U);
    return bytes >= largest ? 1ULL << 63U : static_cast<std::uint64_t>(bytes);
}

std::string number(const char* name, std::uint64_t value) {
    return std::string(" ") + name + "=" + std::to_string(value);
}

std::string type_name(const CacheType& type) {
    return std::to_string(type.bytes) + "/" + std::to_string(type.block);
}

}  // namespace

Correction learn(const Estimate& predicted, const Observed& observed) {
    Correction correction;
    for (const auto& need : predicted.devices) {
        auto measured = as_logged(need, observed.logged);
        if (need.device == "host") {
            learn_host(measured, predicted, observed);
        } else {
            learn_gpu(need.device, measured, observed);
        }
        correction.devices.push_back({need.device, need.bytes, measured});
    }
    return correction;
}

Estimate corrected(const Estimate& fresh, const Correction& correction) {
    auto estimate = fresh;
    for (auto& need : estimate.devices) {
        const auto found =
            std::ranges::find(correction.devices, need.device, &Correction::Device::device);
        if (found == correction.devices.end()) {
            continue;
        }
        for (const auto part : parts) {
            need.bytes.*part =
                scaled(need.bytes.*part, found->predicted.*part, found->measured.*part);
        }
        need.bytes.overhead = sat_sub(sat_add(need.bytes.overhead, found->measured.overhead),
                                      found->predicted.overhead);
    }
    return estimate;
}

std::string fingerprint(const gguf::Metadata& model) {
    return "1 " + model.architecture + number("parameters", model.parameters) +
           number("bytes", model.tensor_bytes) + number("layers", model.block_count) +
           number("vocabulary", model.vocab_size);
}

std::string fingerprint(const gguf::Metadata& model, const LaunchParameters& launch) {
    auto text = fingerprint(model) + number("c", launch.context) + number("np", launch.slots) +
                number("kvu", launch.unified ? 1 : 0) + " k=" + type_name(launch.key_type) +
                " v=" + type_name(launch.value_type) + number("b", launch.batch) +
                number("ub", launch.ubatch) + number("fa", launch.flash_attention ? 1 : 0) +
                number("swa", launch.sliding_full ? 1 : 0) +
                number("kvo", launch.cache_with_layers ? 1 : 0) +
                number("all", launch.all_outputs ? 1 : 0) +
                number("moe", launch.host_expert_layers) + number("map", launch.mapped ? 1 : 0) +
                number("repack", !launch.repack ? 0
                                 : launch.tiles ? 2
                                                : 1) +
                number("lora", launch.lora_bytes);
    text += launch.gpu_layers ? number("ngl", *launch.gpu_layers) : "";
    for (const auto& gpu : launch.gpus) {
        text += " " + gpu.device + ":" + std::to_string(gpu.share);
    }
    return text;
}

}  // namespace routerd
