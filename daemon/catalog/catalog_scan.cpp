#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/catalog/catalog_impl.hpp"
#include "daemon/catalog/remembered_ids.hpp"
#include "daemon/store/files.hpp"
#include "daemon/store/settings.hpp"

namespace routerd {
namespace {

constexpr std::chrono::milliseconds quiet_after_change{250};
constexpr std::chrono::seconds longest_after_change{2};
constexpr std::chrono::seconds first_look_again{2};  // at files that were being written
constexpr std::chrono::seconds longest_look_again{30};
constexpr std::chrono::seconds look_without_watch{60};  // where not every folder can be watched

bool lies_in(const std::string& path, const std::string& folder) {
    return folder.empty() || path == folder ||
           (path.starts_with(folder) && path[folder.size()] == '/');
}

std::set<std::string> ids_in(const std::vector<FoundModel>& models, const std::string& folder) {
    std::set<std::string> ids;
    for (const auto& model : models) {
        if (lies_in(model.files.front(), folder)) {
            ids.insert(model.id);
        }
    }
    return ids;
}

std::size_t count_missing(const std::set<std::string>& of, const std::set<std::string>& in) {
    return static_cast<std::size_t>(
        std::count_if(of.begin(), of.end(), [&in](const auto& id) { return !in.contains(id); }));
}

ScanReport compared(const Found& before, const Found& after, const std::string& folder) {
    ScanReport report;
    const auto old_ids = ids_in(before.models, folder);
    const auto new_ids = ids_in(after.models, folder);
    report.found = new_ids.size();
    report.added = count_missing(new_ids, old_ids);
    report.removed = count_missing(old_ids, new_ids);
    std::copy_if(after.broken.begin(), after.broken.end(), std::back_inserter(report.broken),
                 [&folder](const BrokenFile& file) { return lies_in(file.path, folder); });
    return report;
}

}  // namespace

struct Catalog::Impl::Scanned {
    Found found;
    Headers headers;
    Headers::Changes changes;
};

ScanPlan Catalog::Impl::plan(std::string again) const {
    ScanPlan plan;
    plan.places = places(config_.models, environment_);
    plan.files = configured_files(config_, environment_);
    plan.known = saved_ids_;
    for (const auto& model : found_->models) {
        plan.known.insert_or_assign(model.files.front(), model.id);
    }
    plan.again = std::move(again);
    if (watcher_) {
        plan.on_folder = watcher_->adder(missed_);
    }
    return plan;
}

asio::awaitable<ScanReport> Catalog::Impl::scan_all(std::string dir) {
    const auto begin = std::chrono::steady_clock::now();
    auto scans_turn = co_await scans_.enter();
    *missed_ = {};
    auto work = [plan = plan(dir), headers = std::move(headers_)]() mutable {
        auto found = scan(plan, headers);
        auto changes = headers.finish_scan();
        return Scanned{std::move(found), std::move(headers), std::move(changes)};
    };
    auto scanned = co_await run_on(pool_, std::move(work));
    headers_ = std::move(scanned.headers);
    auto contested = contested_ids(scanned.found.models);
    auto report = compared(*found_, scanned.found, dir);
    const bool differs =
        scanned.found.fingerprint != found_->fingerprint || snapshot->scanned == WallTime();
    if (differs) {
        auto turn = co_await changes_.enter();
        found_ = std::make_shared<const Found>(std::move(scanned.found));
        co_await publish();
    }
    co_await save_scan(std::move(scanned.changes), std::move(contested));
    report_missed_folders();
    report.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    co_return report;
}

/// The cache only saves time: a store that cannot take it is told of and no more.
asio::awaitable<void> Catalog::Impl::save_scan(Headers::Changes changes, KnownIds contested) {
    const bool new_ids = contested != saved_ids_;
    if (changes.written.empty() && changes.removed.empty() && !new_ids) {
        co_return;
    }
    auto save = [changes = std::move(changes),
                 ids = ids_to_text(contested)](Database& database) -> Result<void> {
        auto saved = FileRepository(database).apply(changes.written, changes.removed);
        return saved ? SettingsRepository(database).set(remembered_ids_setting, ids) : saved;
    };
    const auto saved = co_await store_.run(std::move(save));
    if (!saved) {
        tell("catalog.warning", "", saved.error().within("keep what the scan read").message());
        co_return;
    }
    saved_ids_ = std::move(contested);
}

Layers Catalog::Impl::layers() const {
    Layers layers;
    layers.config = config_.model;
    layers.tiers = config_.tiers;
    layers.configured_default = config_.models.default_model;
    layers.overrides = overrides_;
    layers.chosen_default = chosen_default_;
    if (const auto active = profiles_.find(active_profile); active != profiles_.end()) {
        layers.profile = active->second;
    }
    return layers;
}

/// Builds a snapshot from the state as it is now. The caller has the turn of changes_.
asio::awaitable<void> Catalog::Impl::publish() {
    auto build = [found = found_, layers = layers()] {
        return std::make_shared<const Snapshot>(assemble(*found, layers));
    };
    snapshot = co_await run_on(pool_, std::move(build));
    for (const auto& callback : on_change) {
        callback();
    }
}

asio::awaitable<Result<ScanReport>> Catalog::Impl::rescan(std::optional<std::string> dir) {
    auto folder = expand_home(dir.value_or(""), environment_);
    while (folder.size() > 1 && folder.back() == '/') {
        folder.pop_back();
    }
    const auto searched = places(config_.models, environment_);
    const bool known = std::any_of(searched.begin(), searched.end(), [&folder](const Place& place) {
        return lies_in(folder, place.path);
    });
    if (dir && !known) {
        co_return Error(Errc::invalid_request,
                        "'" + escaped(folder) + "' is not in a directory that is scanned")
            .with_hint("add it to [models] dirs, then routerctl config reload");
    }
    auto report = co_await scan_all(std::move(folder));
    report_scan(report);
    co_return report;
}

void Catalog::Impl::report_scan(const ScanReport& report) {
    if (!events_) {
        return;
    }
    const auto text = [](std::size_t count) { return std::to_string(count); };
    api::Event event;
    event.type = "catalog.scanned";
    event.message = text(report.found) + " models found, " + text(report.added) + " added, " +
                    text(report.removed) + " removed, " + text(report.broken.size()) + " broken";
    event.details = {{"found", text(report.found)},
                     {"added", text(report.added)},
                     {"removed", text(report.removed)},
                     {"broken", text(report.broken.size())},
                     {"took", format_duration(report.took)}};
    events_(std::move(event));
}

void Catalog::Impl::report_missed_folders() {
    if (missed_->folders > 0 && looks_ == 0) {
        tell("catalog.warning", "",
             "watch the model directories: " + std::to_string(missed_->folders) +
                 " folders are not watched (" + missed_->reason +
                 "), looking once a minute instead; raise fs.inotify.max_user_watches");
    }
}

/// A scan that says something only when it has something to say. True when not all is settled.
asio::awaitable<bool> Catalog::Impl::look() {
    const auto before = found_->fingerprint;
    const auto report = co_await scan_all("");
    if (found_->fingerprint != before) {
        report_scan(report);
    }
    co_return found_->unsettled;
}

/// When to look again although nothing was heard.
TimePoint Catalog::Impl::next_look(bool is_unsettled) {
    const auto now = std::chrono::steady_clock::now();
    if (is_unsettled) {
        constexpr std::size_t most_doublings = 4;
        const auto wait = first_look_again * (1U << std::min(looks_, most_doublings));
        ++looks_;
        return now + std::min<std::chrono::seconds>(wait, longest_look_again);
    }
    looks_ = 0;
    const bool blind = !watcher_ || missed_->folders > 0;
    return blind ? now + look_without_watch : TimePoint::max();
}

asio::awaitable<void> Catalog::Impl::watch() {
    if (!config_.models.watch) {
        co_return;
    }
    auto opened = Watcher::open(executor_);
    if (opened) {
        watcher_ = std::move(*opened);
    } else {
        tell("catalog.warning", "", opened.error().message() + ", looking once a minute instead");
    }
    for (;;) {
        const bool is_unsettled = co_await finish(look());
        const auto deadline = next_look(is_unsettled);
        if (watcher_) {
            const Watcher::Patience patience{deadline, quiet_after_change, longest_after_change};
            const bool changed = co_await watcher_->wait(patience);
            looks_ = changed ? 0 : looks_;
        } else {
            asio::steady_timer timer(executor_, deadline);
            co_await timer.async_wait(no_throw);
        }
    }
}

}  // namespace routerd
