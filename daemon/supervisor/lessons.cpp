#include "daemon/supervisor/lessons.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace routerd {
namespace {

using nlohmann::json;

constexpr int version = 1;
constexpr std::size_t most_devices = 64;

struct Part {
    const char* name = nullptr;
    std::uint64_t DeviceBytes::*bytes = nullptr;
};
constexpr std::array<Part, 8> parts{{
    {"weights", &DeviceBytes::weights},
    {"kv", &DeviceBytes::kv},
    {"recurrent", &DeviceBytes::recurrent},
    {"compute", &DeviceBytes::compute},
    {"output", &DeviceBytes::output},
    {"mmproj", &DeviceBytes::mmproj},
    {"lora", &DeviceBytes::lora},
    {"overhead", &DeviceBytes::overhead},
}};

json to_json(const DeviceBytes& bytes) {
    json object = json::object();
    for (const auto& part : parts) {
        if (bytes.*part.bytes != 0) {
            object[part.name] = bytes.*part.bytes;
        }
    }
    return object;
}

/// Everything in it must be a part that is known.
std::optional<DeviceBytes> read_bytes(const json& from, const char* name) {
    const auto found = from.find(name);
    if (found == from.end() || !found->is_object()) {
        return std::nullopt;
    }
    DeviceBytes bytes;
    std::size_t known = 0;
    for (const auto& part : parts) {
        const auto value = found->find(part.name);
        if (value == found->end()) {
            continue;
        }
        if (!value->is_number_unsigned()) {
            return std::nullopt;
        }
        bytes.*part.bytes = value->get<std::uint64_t>();
        ++known;
    }
    return known == found->size() ? std::optional(bytes) : std::nullopt;
}

std::optional<Correction::Device> read_device(const json& from) {
    if (!from.is_object()) {
        return std::nullopt;
    }
    const auto name = from.find("device");
    const auto predicted = read_bytes(from, "predicted");
    const auto measured = read_bytes(from, "measured");
    if (name == from.end() || !name->is_string() || !predicted || !measured) {
        return std::nullopt;
    }
    return Correction::Device{name->get<std::string>(), *predicted, *measured};
}

std::optional<Correction> read_correction(const json& from) {
    const bool is_ours = from.is_object() && from.contains("version") &&
                         from["version"] == version && from.contains("devices") &&
                         from["devices"].is_array() && from["devices"].size() <= most_devices;
    if (!is_ours) {
        return std::nullopt;
    }
    Correction correction;
    for (const auto& entry : from["devices"]) {
        const auto device = read_device(entry);
        if (!device) {
            return std::nullopt;
        }
        correction.devices.push_back(*device);
    }
    return correction.devices.empty() ? std::nullopt : std::optional(std::move(correction));
}

}  // namespace

CorrectionRow to_row(const Lesson& lesson, WallTime learned_at) {
    json devices = json::array();
    for (const auto& device : lesson.correction.devices) {
        devices.push_back({{"device", device.device},
                           {"predicted", to_json(device.predicted)},
                           {"measured", to_json(device.measured)}});
    }
    const json figures = {{"version", version}, {"devices", std::move(devices)}};
    return {.fingerprint = lesson.fingerprint,
            .model = lesson.model,
            .figures = figures.dump(-1, ' ', false, json::error_handler_t::replace),
            .learned_at = learned_at};
}

Result<Lesson> to_lesson(const CorrectionRow& row) {
    const auto figures = json::parse(row.figures, nullptr, false);
    auto correction = read_correction(figures);
    if (!correction || row.fingerprint.empty() || row.model.empty()) {
        return Error(Errc::invalid_request, "what a load taught about '" +
                                                escaped(row.fingerprint.substr(0, 200)) +
                                                "' cannot be read");
    }
    return Lesson{row.fingerprint, row.model, std::move(*correction)};
}

}  // namespace routerd
