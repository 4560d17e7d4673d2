#include <algorithm>
#include <string>
#include <vector>

#include "common/api/event.hpp"
#include "common/base/number.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/event_stream.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/telemetry/event_log.hpp"

namespace routerd::control {
namespace {

struct EventQuery {
    std::uint64_t after = 0;
    std::uint64_t limit = 100;  ///< 0: all that are kept
    std::string model;          ///< id
    std::string type;
    bool follow = false;
};

/// Where an earlier stream ended: the client's own memory of it goes before the query.
std::optional<std::uint64_t> last_event_id(const Exchange& exchange) {
    return number_in<std::uint64_t>(exchange.head().find("last-event-id").value_or(""));
}

Result<EventQuery> read_query(Control& control, const Exchange& exchange) {
    EventQuery query;
    const auto after = query_number(exchange, "after", 0);
    const auto limit = query_number(exchange, "limit", query.limit);
    const auto follow = query_flag(exchange, "follow", false);
    if (!after || !limit || !follow) {
        return !after ? after.error() : !limit ? limit.error() : follow.error();
    }
    query.after = last_event_id(exchange).value_or(*after);
    query.limit = *limit;
    query.follow = *follow;
    query.type = exchange.query("type").value_or("");
    query.model = exchange.query("model").value_or("");
    const auto snapshot = control.services().catalog.snapshot();
    if (const auto* model = snapshot->find(query.model)) {
        query.model = model->id;  // a model that is gone by now is still asked for by its id
    }
    return query;
}

bool wanted(const api::Event& event, const EventQuery& query) {
    const bool right_type =
        query.type.empty() || event.type == query.type || event.type.starts_with(query.type + ".");
    return event.id > query.after && right_type &&
           (query.model.empty() || event.model == query.model);
}

std::vector<api::Event> select(const EventLog& log, const EventQuery& query) {
    std::vector<api::Event> selected;
    for (const auto& event : log.events()) {
        if (wanted(event, query)) {
            selected.push_back(event);
        }
    }
    if (query.limit != 0 && selected.size() > query.limit) {
        selected.erase(selected.begin(), selected.end() - static_cast<std::ptrdiff_t>(query.limit));
    }
    return selected;
}

/// Reads from the log whenever it has grown, so that a slow client costs no memory: what it does
/// not take in time is missing from its stream, as the ids show.
asio::awaitable<void> follow(Control& control, Exchange& exchange, EventQuery query) {
    auto& log = control.services().events;
    EventStream stream(exchange, control.services().executor);
    const bool begun = co_await stream.begin();
    if (!begun) {
        co_return;
    }
    const auto subscription = log.subscribe([&stream](const api::Event&) { stream.wake(); });
    bool alive = true;
    while (alive) {
        const auto last = log.last_id();
        const auto events = select(log, query);
        query.limit = 0;
        for (auto event = events.begin(); alive && event != events.end(); ++event) {
            const auto text = api::encode(*event);
            const auto id = std::to_string(event->id);
            alive = co_await stream.send("event", text, id);
        }
        query.after = std::max(query.after, last);
        if (alive) {
            alive = co_await stream.wait();
        }
    }
}

}  // namespace

asio::awaitable<void> list_events(Control& control, Exchange& exchange) {
    auto query = read_query(control, exchange);
    if (!query) {
        auto refused = control_error(query.error());
        co_await exchange.respond(std::move(refused));
        co_return;
    }
    if (query->follow) {
        co_await follow(control, exchange, std::move(*query));
        co_return;
    }
    api::EventList list;
    list.items = select(control.services().events, *query);
    auto response = json_reply(list);
    co_await exchange.respond(std::move(response));
}

}  // namespace routerd::control
