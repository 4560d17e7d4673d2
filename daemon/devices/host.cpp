#include "daemon/devices/host.hpp"

#include <algorithm>

#include "daemon/devices/small_file.hpp"

namespace routerd {

DeviceReading read_host(const Roots& roots) {
    DeviceReading reading;
    reading.device = {.id = "host", .kind = DeviceKind::host, .name = "host memory", .uuid = {}};
    const auto path = roots.proc + "/meminfo";
    const auto text = read_small_file(path);
    if (!text) {
        reading.error = text.error();
        return reading;
    }
    const auto total = number_field(*text, "MemTotal");
    const auto available = number_field(*text, "MemAvailable");
    if (!total || !available) {
        reading.error =
            Error(Errc::unavailable, "read '" + path + "': no MemTotal or MemAvailable in it");
        return reading;
    }
    reading.total = *total;
    reading.free = std::min(*total, *available);
    for (const auto& limit : cgroup_limits(roots)) {
        reading.free = std::min(reading.free, limit.free);
        if (limit.bytes < reading.total) {
            reading.total = limit.bytes;
            reading.limited_by = limit.path;
        }
    }
    return reading;
}

}  // namespace routerd
