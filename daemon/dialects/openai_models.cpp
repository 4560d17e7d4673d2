#include "daemon/dialects/openai_models.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/config/tier.hpp"
#include "daemon/proxy/resolve.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd {
namespace {

using nlohmann::ordered_json;

std::vector<std::string> names_of(const Capabilities& capabilities) {
    const std::pair<bool, const char*> all[] = {
        {capabilities.completion, "completion"}, {capabilities.embedding, "embedding"},
        {capabilities.rerank, "rerank"},         {capabilities.vision, "vision"},
        {capabilities.tools, "tools"},           {capabilities.thinking, "thinking"}};
    std::vector<std::string> names;
    for (const auto& [has, name] : all) {
        if (has) {
            names.emplace_back(name);
        }
    }
    return names;
}

ordered_json to_json(const Model& model, const Fleet& fleet) {
    const auto view = fleet.view(model.id);
    const auto trained = model.metadata.context_length;
    const auto context = model.settings.context ? *model.settings.context : trained;
    const auto created =
        std::chrono::duration_cast<std::chrono::seconds>(model.modified.time_since_epoch());
    return {{"id", model.id},
            {"object", "model"},
            {"created", created.count()},
            {"owned_by", "routerd"},
            {"meta",
             {{"n_ctx", view.context != 0 ? view.context : context},
              {"n_ctx_train", trained},
              {"n_params", model.metadata.parameters},
              {"size", model.size_bytes},
              {"tier", to_string(model.tier)},
              {"thinking", model.thinking},
              {"status", to_string(view.state)},
              {"aliases", model.aliases},
              {"capabilities", names_of(model.capabilities)}}}};
}

Response list(const Snapshot& snapshot, const Fleet& fleet, const Caller& caller) {
    auto data = ordered_json::array();
    for (const auto& model : snapshot.models) {
        if (model->enabled && caller.may_use(model->id)) {
            data.push_back(to_json(*model, fleet));
        }
    }
    return Response::json(ordered_json{{"object", "list"}, {"data", std::move(data)}}.dump());
}

Result<Response> show(const Snapshot& snapshot, const Fleet& fleet, const std::string& name,
                      const Caller& caller) {
    const auto model = resolve(snapshot, fleet, name, caller);
    if (!model) {
        return model.error();
    }
    return Response::json(to_json(**model, fleet).dump());
}

}  // namespace

std::vector<Route> openai_model_routes(std::function<SnapshotPtr()> catalog, const Fleet& fleet) {
    const auto all = [catalog, &fleet](Exchange& exchange) {
        return Result<Response>(list(*catalog(), fleet, exchange.caller()));
    };
    const auto one = [catalog, &fleet](Exchange& exchange) {
        return show(*catalog(), fleet, exchange.param("id"), exchange.caller());
    };
    std::vector<Route> table;
    table.push_back({"GET", "/v1/models", Scope::inference, reply(all), Dialect::openai});
    table.push_back({"GET", "/models", Scope::inference, reply(all), Dialect::openai});
    // An alias may have slashes: org/repo:QUANT
    table.push_back({"GET", "/v1/models/{id...}", Scope::inference, reply(one), Dialect::openai});
    return table;
}

}  // namespace routerd
