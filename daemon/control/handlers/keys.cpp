#include <chrono>
#include <utility>

#include "common/api/key.hpp"
#include "common/base/units.hpp"
#include "daemon/auth/key_ring.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"

namespace routerd::control {
namespace {

api::Key shown(const KeyRow& row) {
    api::Key key;
    key.id = row.id;
    key.name = row.name;
    key.scopes = row.scopes;
    key.models = row.models;
    key.created = row.created_at;
    key.expires = row.expires_at;
    key.expired = row.expires_at && *row.expires_at <= std::chrono::system_clock::now();
    return key;
}

/// Models by id, so that an alias that moves on does not take the key with it.
Result<KeyRing::Wanted> read_wanted(Control& control, const api::KeyRequest& request) {
    KeyRing::Wanted wanted;
    wanted.name = request.name;
    wanted.scopes = request.scopes;
    for (const auto& name : request.models) {
        const auto model = find_model(control, name);
        if (!model) {
            return model.error();
        }
        wanted.models.push_back((*model)->id);
    }
    if (request.expires_in) {
        const auto span = parse_duration(*request.expires_in);
        if (!span) {
            return span.error().within("expires_in");
        }
        wanted.good_for = *span;
    }
    return wanted;
}

}  // namespace

Result<Response> list_keys(Control& control, Exchange& /*exchange*/) {
    api::KeyList list;
    for (const auto& row : control.services().keys.keys()) {
        list.items.push_back(shown(row));
    }
    return json_reply(list);
}

Reply create_key(Control& control, Exchange& exchange) {
    const auto request = body_of<api::KeyRequest>(exchange);
    if (!request) {
        co_return request.error();
    }
    auto wanted = read_wanted(control, *request);
    if (!wanted) {
        co_return wanted.error();
    }
    const auto made = co_await control.services().keys.create(std::move(*wanted));
    if (!made) {
        co_return made.error();
    }
    api::NewKey result;
    result.key = made->key;
    result.about = shown(made->row);
    co_return json_reply(result, created_status);
}

Reply revoke_key(Control& control, Exchange& exchange) {
    const auto revoked = co_await control.services().keys.revoke(exchange.param("name"));
    if (!revoked) {
        co_return revoked.error();
    }
    co_return json_reply(shown(*revoked));
}

}  // namespace routerd::control
