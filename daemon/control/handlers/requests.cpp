#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/api/request.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/event_stream.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/views.hpp"
#include "daemon/telemetry/request_history.hpp"

namespace routerd::control {
namespace {

/// Sends `rows`, newest first, then what comes after `last`. As for events: a client that is slow
/// misses what left the memory meanwhile.
asio::awaitable<void> follow(Control& control, Exchange& exchange, RequestFilter filter,
                             std::vector<RequestRow> rows, std::uint64_t last) {
    auto& history = control.services().requests;
    EventStream stream(exchange, control.services().executor);
    const bool begun = co_await stream.begin();
    if (!begun) {
        co_return;
    }
    const auto subscription = history.subscribe([&stream] { stream.wake(); });
    std::reverse(rows.begin(), rows.end());
    bool alive = true;
    while (alive) {
        for (const auto& row : rows) {
            last = std::max(last, row.id);
            if (!filter.wants(row)) {
                continue;
            }
            const auto text = api::encode(to_entry(row));
            const auto id = std::to_string(row.id);
            alive = co_await stream.send("request", text, id);
            if (!alive) {
                co_return;
            }
        }
        rows = history.after(last);
        if (rows.empty()) {
            alive = co_await stream.wait();
        }
    }
}

}  // namespace

asio::awaitable<void> list_requests(Control& control, Exchange& exchange) {
    auto filter = read_requests_query(exchange);
    const auto follows = query_flag(exchange, "follow", false);
    if (!filter || !follows) {
        auto refused = control_error(!filter ? filter.error() : follows.error());
        co_await exchange.respond(std::move(refused));
        co_return;
    }
    const auto snapshot = control.services().catalog.snapshot();
    if (const auto* model = snapshot->find(filter->model)) {
        filter->model = model->id;  // a model that is gone by now is still asked for by its id
    }
    const RequestFilter asked = *filter;
    const auto last = control.services().requests.last_id();  // when newest() looks into memory
    auto rows = co_await control.services().requests.newest(asked);
    if (*follows && rows) {
        co_await follow(control, exchange, asked, std::move(*rows), last);
        co_return;
    }
    auto response = rows ? json_reply(to_list(*rows, asked.limit)) : control_error(rows.error());
    co_await exchange.respond(std::move(response));
}

}  // namespace routerd::control
