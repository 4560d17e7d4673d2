#include "common/api/queue.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {
namespace {

std::string_view name_of(Priority priority) {
    switch (priority) {
        case Priority::high:
            return "high";
        case Priority::low:
            return "low";
        case Priority::normal:
            break;
    }
    return "normal";
}

std::optional<std::string> text_or_null(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

api::QueuedRequest shown(const WaitingReport& report) {
    api::QueuedRequest row;
    row.id = report.request_id.empty() ? std::to_string(report.ticket) : report.request_id;
    row.ticket = report.ticket;
    row.request = text_or_null(report.request_id);
    row.model = report.model;
    row.priority = name_of(report.priority);
    row.key = text_or_null(report.key);
    row.since = report.since;
    row.deadline = report.deadline;
    row.position = report.progress.position;
    row.state = report.progress.phase == Ticket::Phase::loading ? "loading" : "queued";
    row.progress_percent = report.progress.loaded_percent;
    row.reason = report.reason;
    return row;
}

}  // namespace

Result<Response> list_queue(Control& control, Exchange& /*exchange*/) {
    api::QueueList list;
    for (const auto& report : control.services().fleet.queue()) {
        list.items.push_back(shown(report));
    }
    return json_reply(list);
}

Result<Response> cancel_queued(Control& control, Exchange& exchange) {
    const auto cancelled = control.services().fleet.cancel(std::string(exchange.param("id")));
    if (!cancelled) {
        return cancelled.error();
    }
    return json_reply(shown(*cancelled));
}

}  // namespace routerd::control
