#include <string>

#include "common/api/decision.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {
namespace {

api::Decision shown(const Decision& decision) {
    api::Decision row;
    row.id = decision.number;
    row.time = decision.time;
    row.type = decision.what;
    row.model = decision.model;
    if (!decision.request.empty()) {
        row.request = decision.request;
    }
    row.message = decision.message;
    row.details = decision.details;
    return row;
}

/// What `model`, `request` or `name` says, of which there must be one: a model's id, or a
/// request's.
Result<std::string> whom_to_explain(Control& control, const Exchange& exchange) {
    const auto model = exchange.query("model");
    const auto request = exchange.query("request");
    const auto name = exchange.query("name");
    if ((model ? 1 : 0) + (request ? 1 : 0) + (name ? 1 : 0) != 1) {
        return Error(Errc::invalid_request,
                     "explain needs one of the parameters 'model', 'request' and 'name'");
    }
    if (request) {
        return *request;
    }
    const auto found = find_model(control, model ? *model : *name);
    if (found) {
        return (*found)->id;
    }
    if (model) {
        return found.error();
    }
    return *name;
}

}  // namespace

Result<Response> explain(Control& control, Exchange& exchange) {
    const auto whom = whom_to_explain(control, exchange);
    if (!whom) {
        return whom.error();
    }
    const auto decisions = control.services().fleet.explain(*whom);
    if (!decisions) {
        return decisions.error();
    }
    api::DecisionList list;
    for (const auto& decision : *decisions) {
        list.items.push_back(shown(decision));
    }
    return json_reply(list);
}

}  // namespace routerd::control
