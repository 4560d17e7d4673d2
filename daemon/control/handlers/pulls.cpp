#include "daemon/pull/pulls.hpp"

#include <string>
#include <utility>

#include "common/api/error_body.hpp"
#include "common/api/pull.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/event_stream.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"

namespace routerd::control {
namespace {

constexpr unsigned pull_begun = 201;
constexpr unsigned pull_joined = 200;

Result<Response> shown(const Result<api::Pull>& pull) {
    return pull ? Result<Response>(json_reply(*pull)) : Result<Response>(pull.error());
}

/// Sends it whenever it is another, until it is over. What a slow client does not take in time is
/// left out: the next one says all.
asio::awaitable<void> follow_pull(Control& control, Exchange& exchange, std::string id) {
    auto& pulls = control.services().pulls;
    EventStream stream(exchange, control.services().executor);
    const bool begun = co_await stream.begin();
    if (!begun) {
        co_return;
    }
    const auto subscription = pulls.on_change([&stream, &id](const std::string& changed) {
        if (changed == id) {
            stream.wake();
        }
    });
    bool goes_on = true;
    while (goes_on) {
        const auto pull = pulls.find(id);
        if (!pull) {  // removed
            const auto gone = api::encode(api::ErrorBody::from(pull.error()));
            co_await stream.send("error", gone);
            break;
        }
        const auto text = api::encode(*pull);
        goes_on = co_await stream.send("pull", text);
        if (!goes_on) {
            co_return;
        }
        if (api::is_at_rest(*pull)) {
            break;
        }
        goes_on = co_await stream.wait();
    }
    co_await stream.finish();
}

}  // namespace

Result<Response> list_pulls(Control& control, Exchange& /*exchange*/) {
    api::PullList list;
    list.items = control.services().pulls.all();
    return json_reply(list);
}

Reply begin_pull(Control& control, Exchange& exchange) {
    const auto request = body_of<api::PullRequest>(exchange);
    if (!request) {
        co_return request.error();
    }
    const auto begun = co_await control.services().pulls.begin(*request, exchange.is_control());
    if (!begun) {
        co_return begun.error();
    }
    co_return json_reply(begun->pull, begun->joined ? pull_joined : pull_begun);
}

asio::awaitable<void> get_pull(Control& control, Exchange& exchange) {
    const auto follows = query_flag(exchange, "follow", false);
    const std::string id(exchange.param("id"));
    const auto pull = control.services().pulls.find(id);
    if (follows && *follows && pull) {
        co_await follow_pull(control, exchange, id);
        co_return;
    }
    auto response = !follows ? control_error(follows.error())
                    : pull   ? json_reply(*pull)
                             : control_error(pull.error());
    co_await exchange.respond(std::move(response));
}

Reply change_pull(Control& control, Exchange& exchange) {
    const auto change = body_of<api::PullChange>(exchange);
    if (!change) {
        co_return change.error();
    }
    const std::string id(exchange.param("id"));
    const auto pull = co_await control.services().pulls.change(id, *change);
    co_return shown(pull);
}

Reply pause_pull(Control& control, Exchange& exchange) {
    const std::string id(exchange.param("id"));
    const auto pull = co_await control.services().pulls.pause(id);
    co_return shown(pull);
}

Reply resume_pull(Control& control, Exchange& exchange) {
    const auto change = body_of<api::PullChange>(exchange);
    if (!change) {
        co_return change.error();
    }
    const std::string id(exchange.param("id"));
    auto& pulls = control.services().pulls;
    const auto changed = co_await pulls.change(id, *change);
    if (!changed) {
        co_return changed.error();
    }
    const auto pull = co_await pulls.resume(id, change->token);
    co_return shown(pull);
}

Reply remove_pull(Control& control, Exchange& exchange) {
    const std::string id(exchange.param("id"));
    const auto pull = co_await control.services().pulls.remove(id);
    co_return shown(pull);
}

}  // namespace routerd::control
