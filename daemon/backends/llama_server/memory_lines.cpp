#include "daemon/backends/llama_server/memory_lines.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/estimate/saturating.hpp"

namespace routerd::llama {
namespace {

constexpr std::size_t most_buffers = 4096;  // of one log; it is not ours

/// "CPU_Mapped", "CPU_REPACK", "CUDA_Host" → host; "CUDA0", "CUDA0_Split", "ROCm1" → cuda0, rocm1.
std::string device_of(std::string_view buffer) {
    if (buffer.starts_with("CPU") || buffer.ends_with("_Host") || buffer == "AMX" ||
        buffer == "BLAS") {
        return "host";
    }
    return to_lower(buffer.substr(0, buffer.find('_')));
}

/// "CUDA0", "CPU_Mapped": what follows goes into tables, so nothing else is taken for one.
bool is_buffer_name(std::string_view name) {
    const auto is_letter = [](unsigned char c) { return (c | 0x20U) >= 'a' && (c | 0x20U) <= 'z'; };
    const auto is_part = [is_letter](unsigned char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.empty() && is_letter(static_cast<unsigned char>(name.front())) &&
           std::ranges::all_of(name, is_part);
}

std::optional<std::uint64_t> mebibytes(std::string_view text) {
    double number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const bool is_sane = error == std::errc() && number >= 0 && number < 1e9;
    if (!is_sane || !trim({stop, static_cast<std::size_t>(end - stop)}).starts_with("MiB")) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(std::llround(number * (1U << 20U)));
}

/// The last word of `text`, and what stands before it.
std::pair<std::string_view, std::string_view> last_word(std::string_view text) {
    text = trim(text);
    const auto space = text.find_last_of(' ');
    return space == std::string_view::npos
               ? std::pair(std::string_view(), text)
               : std::pair(text.substr(0, space), text.substr(space + 1));
}

std::uint64_t DeviceBytes::*part_of(std::string_view kind, std::string_view source) {
    // The projector's program speaks of its own buffers in the same words.
    if (source.starts_with("alloc_compute_meta") || source.starts_with("clip")) {
        return &DeviceBytes::mmproj;
    }
    if (kind == "model") {
        return &DeviceBytes::weights;
    }
    if (kind == "KV") {
        return &DeviceBytes::kv;
    }
    if (kind == "RS") {
        return &DeviceBytes::recurrent;
    }
    if (kind == "compute") {
        return &DeviceBytes::compute;
    }
    if (kind == "output") {
        return &DeviceBytes::output;
    }
    return kind == "LoRA" ? &DeviceBytes::lora : nullptr;
}

}  // namespace

void MemoryLines::replace(Buffer buffer) {
    const auto same = std::ranges::find_if(buffers_, [&buffer](const Buffer& other) {
        return other.context == buffer.context && other.source == buffer.source &&
               other.name == buffer.name && other.kind == buffer.kind;
    });
    if (same != buffers_.end()) {
        *same = std::move(buffer);
    } else if (buffers_.size() < most_buffers) {
        buffers_.push_back(std::move(buffer));
    }
}

void MemoryLines::add(std::string_view line) {
    if (line.find("load_model: loading model '") != std::string_view::npos) {
        *this = MemoryLines();
        return;
    }
    if (line.find("constructing llama_context") != std::string_view::npos) {
        ++context_;
        return;
    }
    constexpr std::string_view mark = " buffer size =";
    const auto middle = line.find(mark);
    if (middle == std::string_view::npos) {
        return;
    }
    // "0.02.127.294 I llama_kv_cache:        CPU KV"; older builds write no stamp
    const auto [before_kind, kind] = last_word(line.substr(0, middle));
    const auto [before_name, name] = last_word(before_kind);
    const auto source = last_word(before_name).second;
    const auto bytes = mebibytes(trim(line.substr(middle + mark.size())));
    const auto part = part_of(kind, source);
    if (!bytes || part == nullptr || !is_buffer_name(name)) {
        return;
    }
    if (kind == "compute" || kind == "output") {
        replace({context_, std::string(source), std::string(name), std::string(kind), *bytes});
        return;
    }
    const auto device = device_of(name);
    if (sums_.contains(device) || sums_.size() < most_buffers) {
        auto& sum = sums_[device];
        sum.*part = sat_add(sum.*part, *bytes);
    }
}

std::vector<DeviceNeed> MemoryLines::devices() const {
    auto sums = sums_;
    for (const auto& buffer : buffers_) {
        auto& bytes = sums[device_of(buffer.name)];
        const auto part = part_of(buffer.kind, buffer.source);
        bytes.*part = sat_add(bytes.*part, buffer.bytes);
    }
    std::vector<DeviceNeed> devices;
    for (const auto& [device, bytes] : sums) {
        devices.push_back({device, bytes});
    }
    // clang 14, which builds the fuzz target, has no std::ranges::stable_partition.
    std::stable_partition(devices.begin(), devices.end(),
                          [](const DeviceNeed& need) { return need.device == "host"; });
    return devices;
}

}  // namespace routerd::llama
