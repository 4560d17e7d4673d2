#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "common/config/tier.hpp"

namespace routerd::ctl {
namespace {

struct LsOptions {
    bool all = false;
    std::string tier;
    std::vector<std::string> filters;
};

std::string state_of(const api::ModelSummary& model) {
    return model.enabled ? model.state : "disabled";
}

/// "completion" goes without saying.
std::string special_capabilities(const api::ModelSummary& model) {
    std::vector<std::string> words;
    std::copy_if(model.capabilities.begin(), model.capabilities.end(), std::back_inserter(words),
                 [](const auto& word) { return word != "completion"; });
    return join(words, ",");
}

std::string count_or_nothing(std::uint64_t count) {
    return count == 0 ? "" : format_count(count);
}

Layout<api::ModelSummary> layout() {
    using Model = api::ModelSummary;
    using When = Column<Model>::When;
    Layout<Model> layout;
    layout.id = [](const Model& model) { return model.id; };
    layout.columns = {
        {"NAME",
         [](const Model& m) { return Cell(m.id, m.is_default ? Style::bold : Style::plain); }},
        {"QUANT", [](const Model& m) { return Cell(m.quantization); }},
        {"PARAMS", [](const Model& m) { return Cell(count_or_nothing(m.parameters)); }},
        {"SIZE",
         [](const Model& m) { return Cell(m.size_bytes == 0 ? "" : format_bytes(m.size_bytes)); }},
        {"CTX",
         [](const Model& m) {
             return Cell(m.context_length == 0 ? "" : std::to_string(m.context_length));
         }},
        {"TIER", [](const Model& m) { return Cell(std::string(to_string(m.tier))); }},
        {"CAPS", [](const Model& m) { return Cell(special_capabilities(m)); }},
        {"STATE", [](const Model& m) { return Cell(state_of(m), style_of_state(state_of(m))); }},
        {"SOURCE", [](const Model& m) { return Cell(m.source); }},
        {"ARCH", [](const Model& m) { return Cell(m.architecture); }, When::wide},
        {"PINNED", [](const Model& m) { return Cell(m.pinned ? "yes" : "no"); }, When::wide},
        {"DEFAULT", [](const Model& m) { return Cell(m.is_default ? "yes" : "no"); }, When::wide},
        {"ALIASES", [](const Model& m) { return Cell(join(m.aliases, ",")); }, When::wide},
    };
    return layout;
}

/// True when the field that `filter` names has its value, or has it among its values.
Result<bool> passes(const api::ModelSummary& model, const std::string& filter) {
    const auto equals = filter.find('=');
    const auto json = api::to_value(model);
    const auto field = json.find(filter.substr(0, equals));
    if (equals == std::string::npos || field == json.end()) {
        std::vector<std::string> known;
        for (const auto& item : json.items()) {
            known.push_back(item.key());
        }
        return Error(Errc::invalid_request, "--filter '" + filter + "' is not FIELD=VALUE")
            .with_hint("fields: " + join(known, ", "));
    }
    const auto wanted = filter.substr(equals + 1);
    const auto has = [&wanted](const nlohmann::json& value) {
        return iequals(value.is_string() ? value.get<std::string>() : value.dump(), wanted);
    };
    return field->is_array() ? std::any_of(field->begin(), field->end(), has) : has(*field);
}

Result<void> apply_filters(const std::vector<std::string>& filters,
                           std::vector<api::ModelSummary>& models) {
    for (const auto& filter : filters) {
        const auto checked = passes(api::ModelSummary{}, filter);
        if (!checked) {
            return checked.error();
        }
        std::erase_if(models, [&filter](const auto& model) { return !*passes(model, filter); });
    }
    return {};
}

int run_ls(Context& context, const LsOptions& options) {
    client::ModelQuery query;
    query.all = options.all;
    query.tier = options.tier;
    auto list = context.client.models(query);
    if (!list) {
        return context.fail(list.error());
    }
    const auto filtered = apply_filters(options.filters, list->items);
    if (!filtered) {
        return context.fail(filtered.error());
    }
    const int code = print_list(context, *list, layout());
    if (list->items.empty() && context.format.is_for_people() && context.terminal.err_is_tty) {
        context.note(options.all || !options.filters.empty()
                         ? "no models"
                         : "no models; see: routerctl ls -a, routerctl rescan, routerctl doctor");
    }
    return code;
}

}  // namespace

void add_ls(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("ls", "List models");
    command->alias("list");
    auto options = std::make_shared<LsOptions>();
    command->add_flag("-a,--all", options->all, "disabled models too");
    command->add_option("--tier", options->tier, "only models of this tier")
        ->check(CLI::IsMember({"fast", "balanced", "powerful"}));
    command->add_option("--filter", options->filters, "only models whose field has this value")
        ->type_name("FIELD=VALUE")
        ->take_all();
    set_action(*command, invocation, options, run_ls);
}

}  // namespace routerd::ctl
