#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/catalog_impl.hpp"
#include "daemon/catalog/edits.hpp"
#include "daemon/catalog/names.hpp"
#include "daemon/store/overrides.hpp"
#include "daemon/store/settings.hpp"

namespace routerd {
namespace {

/// "context=8192, pin unset", for the event.
std::string in_words(const std::vector<OverrideChange>& changes) {
    std::vector<std::string> words;
    for (const auto& change : changes) {
        words.push_back(change.value ? change.key + "=" + escaped(*change.value)
                                     : change.key + " unset");
    }
    return join(words, ", ");
}

}  // namespace

asio::awaitable<Result<std::shared_ptr<const Model>>> Catalog::Impl::change(
    std::string name, std::vector<KeyChange> changes) {
    auto turn = co_await changes_.enter();
    const auto model = model_named(*snapshot, name);
    if (!model) {
        co_return model.error();
    }
    const auto id = (*model)->id;
    const auto before = overrides_.find(id) == overrides_.end() ? KeyValues() : overrides_[id];
    auto after = edited(before, changes);
    if (!after) {
        co_return after.error().within("change '" + id + "'");
    }
    const auto free = check_aliases(**model, *after, *snapshot);
    if (!free) {
        co_return free.error().within("change '" + id + "'");
    }
    auto rows = override_changes(id, before, *after);
    const auto words = in_words(rows);
    auto save = [rows = std::move(rows)](Database& database) {
        return OverrideRepository(database).apply(rows);
    };
    const auto saved = co_await store_.run(std::move(save));
    if (!saved) {
        co_return saved.error().within("change '" + id + "'");
    }
    overrides_.insert_or_assign(id, std::move(*after));
    co_await publish();
    tell("model.changed", id, words.empty() ? "nothing to change" : words);
    co_return model_named(*snapshot, id);
}

asio::awaitable<Result<void>> Catalog::Impl::keep_default(std::string id) {
    auto save = [id](Database& database) {
        SettingsRepository settings(database);
        return id.empty() ? settings.unset(setting::default_model)
                          : settings.set(setting::default_model, id);
    };
    const auto saved = co_await store_.run(std::move(save));
    if (!saved) {
        co_return saved.error().within("remember the default model");
    }
    chosen_default_ = std::move(id);
    co_await publish();
    co_return Result<void>();
}

asio::awaitable<Result<std::shared_ptr<const Model>>> Catalog::Impl::set_default(std::string name) {
    auto turn = co_await changes_.enter();
    const auto model = model_named(*snapshot, name);
    if (!model) {
        co_return model.error();
    }
    const auto id = (*model)->id;
    if (!(*model)->enabled) {
        co_return Error(Errc::conflict, "'" + id + "' is disabled")
            .with_hint("routerctl enable " + id);
    }
    const auto kept = co_await keep_default(id);
    if (!kept) {
        co_return kept.error();
    }
    tell("model.default", id, "'" + id + "' is the default model");
    co_return model_named(*snapshot, id);
}

asio::awaitable<Result<void>> Catalog::Impl::clear_default() {
    auto turn = co_await changes_.enter();
    const auto kept = co_await keep_default("");
    if (kept) {
        tell("model.default", snapshot->default_model, "the configured default model counts again");
    }
    co_return kept;
}

}  // namespace routerd
