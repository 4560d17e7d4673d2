#include "common/api/memory.hpp"

#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {
namespace {

api::DeviceMemory shown(const DeviceReport& report) {
    api::DeviceMemory row;
    row.device = report.device.id;
    row.kind = to_string(report.device.kind);
    row.name = report.device.name;
    row.total_bytes = report.total;
    row.usable_bytes = report.usable;
    row.foreign_bytes = report.foreign;
    row.reserved_bytes = report.reserved;
    row.free_bytes = report.free;
    row.error = report.error;
    for (const auto& holder : report.holders) {
        row.models.push_back(
            {holder.instance, holder.model, std::string(to_string(holder.state)), holder.reserved});
    }
    return row;
}

}  // namespace

Result<Response> list_memory(Control& control, Exchange& /*exchange*/) {
    api::DeviceMemoryList list;
    for (const auto& report : control.services().fleet.memory()) {
        list.items.push_back(shown(report));
    }
    return json_reply(list);
}

}  // namespace routerd::control
