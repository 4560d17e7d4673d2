// The part of a pull that makes a model of what came.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/pull/hub_cache.hpp"
#include "daemon/pull/job.hpp"

namespace routerd::pull {

/// Lets the catalogue find it, and gives the model what its source says of it.
asio::awaitable<Result<void>> Job::adopt() {
    if (uses_hub_cache()) {
        auto link = [cache = root(), plan = *plan_] { return link_hub_snapshot(cache, plan); };
        const auto linked = co_await run_on(pulls_.services_.pool, std::move(link));
        if (!linked) {
            co_return linked.error();
        }
    }
    const auto scanned = co_await pulls_.services_.catalog.rescan();
    if (!scanned) {
        co_return scanned.error();
    }
    std::vector<std::string> paths;
    for (const auto& file : plan_->files) {
        paths.push_back(shown_path(file));
    }
    row_.models.clear();
    for (const auto& model : pulls_.services_.catalog.snapshot()->models) {
        if (std::ranges::find(paths, model->files.front()) != paths.end()) {
            row_.models.push_back(model->id);
        }
    }
    if (row_.models.empty()) {
        notes_.push_back("the catalogue does not offer it: see 'routerctl doctor', and whether '" +
                         escaped(root()) + "' is below one of [models] dirs");
    }
    for (const auto& model : std::vector<std::string>(row_.models)) {
        co_await settle(model);
    }
    co_return Result<void>();
}

/// A setting that is refused is no reason to have no model.
asio::awaitable<void> Job::settle(const std::string& id) {
    const auto snapshot = pulls_.services_.catalog.snapshot();
    const auto* model = snapshot->find(id);
    if (model == nullptr) {
        co_return;
    }
    auto arguments = nlohmann::json::array();
    std::vector<KeyChange> changes;
    for (const auto& [key, value] : plan_->overrides) {
        if (key == "args") {
            arguments = nlohmann::json::parse(value, nullptr, false);
        } else {
            changes.push_back({key, value});
        }
    }
    if (!plan_->chat_template.empty() && model->metadata.chat_template_bytes == 0) {
        arguments.push_back("--chat-template");
        arguments.push_back(plan_->chat_template);
    }
    if (arguments.is_array() && !arguments.empty() && !model->overrides.args) {
        changes.push_back({"args", arguments.dump()});
    }
    if (row_.models.size() == 1 && snapshot->find(plan_->name) == nullptr &&
        plan_->name.find(':') != std::string::npos) {
        auto aliases = model->overrides.aliases.value_or(std::vector<std::string>());
        aliases.push_back(plan_->name);
        changes.push_back({"aliases", nlohmann::json(aliases).dump()});
    }
    if (changes.empty()) {
        co_return;
    }
    const auto changed = co_await pulls_.services_.catalog.change(id, std::move(changes));
    if (!changed) {
        notes_.push_back("its settings were not taken over: " + changed.error().message());
    }
}

}  // namespace routerd::pull
