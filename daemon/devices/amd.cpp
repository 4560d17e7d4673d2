#include "daemon/devices/amd.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string_view>

#include "common/base/text.hpp"
#include "daemon/devices/small_file.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view vendor_amd = "0x1002";

std::vector<std::string> entries_of(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        names.push_back(at->path().filename().string());
    }
    return names;
}

/// "card0", not "card0-DP-1" (a connector) nor "renderD128".
bool is_card(std::string_view name) {
    return name.starts_with("card") && name.size() > 4 &&
           std::ranges::all_of(name.substr(4),
                               [](unsigned char c) { return std::isdigit(c) != 0; });
}

DeviceReading read_card(const std::string& folder) {
    DeviceReading reading;
    reading.device.kind = DeviceKind::amd;
    const auto name = read_small_file(folder + "/product_name");
    reading.device.name = name ? escaped(trim(*name)) : "";
    reading.device.name = reading.device.name.empty() ? "AMD GPU" : reading.device.name;
    if (const auto uevent = read_small_file(folder + "/uevent")) {
        reading.device.uuid = escaped(text_field(*uevent, "PCI_SLOT_NAME"));
    }
    // ROCr's name of a GPU is made of this number; older cards have none.
    const auto unique = read_small_file(folder + "/unique_id");
    const auto digits = unique ? escaped(trim(*unique)) : std::string();
    reading.device.visible_as = digits.empty() ? digits : "GPU-" + digits;
    const auto total = read_number_file(folder + "/mem_info_vram_total");
    const auto used = read_number_file(folder + "/mem_info_vram_used");
    if (!total || !used) {
        reading.error = total ? used.error() : total.error();
        return reading;
    }
    reading.total = *total;
    reading.free = *total - std::min(*used, *total);
    const auto shared_total = read_number_file(folder + "/mem_info_gtt_total");
    const auto shared_used = read_number_file(folder + "/mem_info_gtt_used");
    reading.shared_total = shared_total ? *shared_total : 0;
    reading.shared_used = shared_used ? *shared_used : 0;
    return reading;
}

struct Client {
    std::string id;  // one for all descriptors of an open() and its copies
    std::uint64_t bytes = 0;
};

std::optional<Client> client_on(std::string_view info, std::string_view pci_address) {
    if (text_field(info, "drm-driver") != "amdgpu" || text_field(info, "drm-pdev") != pci_address) {
        return std::nullopt;
    }
    auto bytes = number_field(info, "drm-resident-vram");  // kernels since 6.8
    bytes = bytes ? bytes : number_field(info, "drm-memory-vram");
    return bytes ? std::optional(Client{std::string(text_field(info, "drm-client-id")), *bytes})
                 : std::nullopt;
}

std::optional<std::uint64_t> held_by(const Roots& roots, pid_t pid, std::string_view pci_address) {
    const auto folder = roots.proc + "/" + std::to_string(pid) + "/fdinfo";
    std::set<std::string> seen;
    std::optional<std::uint64_t> bytes;
    for (const auto& name : entries_of(folder)) {
        const auto info = read_small_file(folder + "/" + name);
        const auto client = info ? client_on(*info, pci_address) : std::nullopt;
        if (client && (client->id.empty() || seen.insert(client->id).second)) {
            bytes = bytes.value_or(0) + client->bytes;
        }
    }
    return bytes;
}

}  // namespace

std::vector<DeviceReading> read_amd(const Roots& roots, const std::vector<pid_t>& pids) {
    const auto classes = roots.sys + "/class/drm";
    std::vector<DeviceReading> readings;
    for (const auto& name : entries_of(classes)) {
        const auto folder = classes + "/" + name + "/device";
        const auto vendor = is_card(name) ? read_small_file(folder + "/vendor")
                                          : Result<std::string>(std::string());
        if (vendor && trim(*vendor) == vendor_amd) {
            readings.push_back(read_card(folder));
        }
    }
    std::ranges::sort(readings, {}, [](const auto& reading) { return reading.device.uuid; });
    for (std::size_t i = 0; i < readings.size(); ++i) {
        auto& reading = readings[i];
        reading.device.id = "rocm" + std::to_string(i);
        if (reading.device.visible_as.empty()) {
            reading.device.visible_as = std::to_string(i);
        }
        for (const auto pid : pids) {
            const auto bytes =
                reading.error ? std::nullopt : held_by(roots, pid, reading.device.uuid);
            if (bytes) {
                reading.processes.push_back({pid, bytes});
            }
        }
        std::ranges::sort(reading.processes, {}, &DeviceProcess::pid);
    }
    return readings;
}

}  // namespace routerd
