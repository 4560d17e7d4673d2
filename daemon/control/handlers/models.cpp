#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/api/model.hpp"
#include "common/base/text.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/paging.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/views.hpp"
#include "daemon/gguf/reader.hpp"
#include "daemon/net/run_on.hpp"

namespace routerd::control {
namespace {

using ModelPtr = std::shared_ptr<const Model>;

/// Which rows `ls` wants.
struct Filter {
    bool all = false;
    std::optional<Tier> tier;
    std::string prefix;  ///< lower-case
};

Result<Filter> read_filter(const Exchange& exchange) {
    Filter filter;
    const auto all = query_flag(exchange, "all", false);
    if (!all) {
        return all.error();
    }
    filter.all = *all;
    filter.prefix = to_lower(exchange.query("prefix").value_or(""));
    const auto tier = exchange.query("tier").value_or("");
    for (const auto& [word, value] : {std::pair{"fast", Tier::fast},
                                      {"balanced", Tier::balanced},
                                      {"powerful", Tier::powerful}}) {
        if (tier == word) {
            filter.tier = value;
        }
    }
    if (!tier.empty() && !filter.tier) {
        return Error(Errc::invalid_request, "there is no tier '" + escaped(tier) + "'")
            .with_param("tier")
            .with_hint("tiers are fast, balanced and powerful");
    }
    return filter;
}

bool wanted(const Model& model, const Filter& filter) {
    if ((!filter.all && !model.enabled) || (filter.tier && model.tier != *filter.tier)) {
        return false;
    }
    const auto begins = [&filter](const std::string& name) {
        return to_lower(name).starts_with(filter.prefix);
    };
    return begins(model.id) || std::any_of(model.aliases.begin(), model.aliases.end(), begins);
}

Response shown(Control& control, const Model& model) {
    auto& services = control.services();
    return json_reply(to_model(model, *services.catalog.snapshot(), services.fleet));
}

asio::awaitable<Result<Response>> apply(Control& control, std::string id,
                                        std::vector<KeyChange> changes) {
    auto changed = co_await control.services().catalog.change(std::move(id), std::move(changes));
    if (!changed) {
        co_return changed.error();
    }
    co_return shown(control, **changed);
}

/// The list of aliases after the change, as the text of the key; nullopt: none of the user's own.
std::optional<std::string> edit_aliases(const Model& model, const api::ModelChange& change) {
    auto aliases = model.settings.aliases.value_or(std::vector<std::string>());
    for (const auto& alias : change.add_aliases) {
        const auto is_it = [&alias](const std::string& other) { return iequals(other, alias); };
        if (std::none_of(aliases.begin(), aliases.end(), is_it)) {
            aliases.push_back(alias);
        }
    }
    for (const auto& alias : change.remove_aliases) {
        std::erase_if(aliases, [&alias](const auto& other) { return iequals(other, alias); });
    }
    return nlohmann::json(aliases).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::vector<KeyChange>> to_changes(const Model& model, const api::ModelChange& change) {
    std::vector<KeyChange> changes;
    for (const auto& [key, text] : change.set) {
        changes.push_back({key, text});
    }
    for (const auto& key : change.unset) {
        changes.push_back({key, std::nullopt});
    }
    for (const auto& alias : change.remove_aliases) {
        const auto aliases = model.settings.aliases.value_or(std::vector<std::string>());
        const auto is_it = [&alias](const std::string& other) { return iequals(other, alias); };
        if (std::none_of(aliases.begin(), aliases.end(), is_it)) {
            return Error(Errc::not_found,
                         "'" + model.id + "' has no alias '" + escaped(alias) + "' to remove")
                .with_param("remove_aliases");
        }
    }
    if (!change.add_aliases.empty() || !change.remove_aliases.empty()) {
        changes.push_back({"aliases", edit_aliases(model, change)});
    }
    if (changes.empty()) {
        return Error(Errc::invalid_request, "the request changes nothing")
            .with_hint("give set, unset, add_aliases or remove_aliases");
    }
    return changes;
}

asio::awaitable<Result<Response>> set_pin(Control& control, Exchange& exchange, bool pinned) {
    const auto model = path_model(control, exchange);
    if (!model) {
        co_return model.error();
    }
    std::vector<KeyChange> changes;
    changes.push_back({"pin", pinned ? "true" : "false"});
    co_return co_await apply(control, (*model)->id, std::move(changes));
}

}  // namespace

Result<Response> list_models(Control& control, Exchange& exchange) {
    const auto filter = read_filter(exchange);
    if (!filter) {
        return filter.error();
    }
    const auto page = read_page(exchange);
    if (!page) {
        return page.error();
    }
    const auto& services = control.services();
    const auto snapshot = services.catalog.snapshot();
    api::ModelList list;
    for (const auto& model : snapshot->models) {
        if (!wanted(*model, *filter) || model->id <= page->after) {
            continue;
        }
        if (page->limit != 0 && list.items.size() == page->limit) {
            list.next = list.items.back().id;
            break;
        }
        list.items.push_back(to_summary(*model, *snapshot, services.fleet));
    }
    return json_reply(list);
}

Reply get_model(Control& control, Exchange& exchange) {
    auto& services = control.services();
    const auto model = path_model(control, exchange);
    if (!model) {
        co_return model.error();
    }
    auto answer = to_model(**model, *services.catalog.snapshot(), services.fleet);
    auto read = [path = (*model)->files.empty() ? std::string() : (*model)->files.front()] {
        return gguf::read_file(path);
    };
    const auto metadata = co_await run_on(services.pool, std::move(read));
    if (metadata) {  // a file that is gone by now shows what was known of it, without its template
        answer.gguf.chat_template = metadata->chat_template;
    }
    co_return json_reply(answer);
}

Reply change_model(Control& control, Exchange& exchange) {
    const auto model = path_model(control, exchange);
    if (!model) {
        co_return model.error();
    }
    const auto change = body_of<api::ModelChange>(exchange);
    if (!change) {
        co_return change.error();
    }
    auto changes = to_changes(**model, *change);
    if (!changes) {
        co_return changes.error();
    }
    co_return co_await apply(control, (*model)->id, std::move(*changes));
}

Reply pin_model(Control& control, Exchange& exchange) {
    co_return co_await set_pin(control, exchange, true);
}

Reply unpin_model(Control& control, Exchange& exchange) {
    co_return co_await set_pin(control, exchange, false);
}

Reply rescan(Control& control, Exchange& exchange) {
    auto request = body_of<api::RescanRequest>(exchange);
    if (!request) {
        co_return request.error();
    }
    std::optional<std::string> dir;
    if (!request->dir.empty()) {
        dir = std::move(request->dir);
    }
    const auto report = co_await control.services().catalog.rescan(std::move(dir));
    if (!report) {
        co_return report.error();
    }
    api::RescanResult result;
    result.found = report->found;
    result.added = report->added;
    result.removed = report->removed;
    result.took_ms = report->took;
    for (const auto& broken : report->broken) {
        result.broken.push_back({broken.path, broken.reason});
    }
    co_return json_reply(result);
}

}  // namespace routerd::control
