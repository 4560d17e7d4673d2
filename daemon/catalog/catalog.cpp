#include "daemon/catalog/catalog.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/catalog_impl.hpp"
#include "daemon/catalog/edits.hpp"
#include "daemon/catalog/profiles.hpp"
#include "daemon/catalog/remembered_ids.hpp"
#include "daemon/catalog/writer_probe.hpp"
#include "daemon/store/files.hpp"
#include "daemon/store/profiles.hpp"
#include "daemon/store/settings.hpp"

namespace routerd {

struct Catalog::Impl::Memory {
    std::vector<FileRow> files;
    std::vector<OverrideRow> overrides;
    std::vector<ProfileRow> profiles;
    Settings settings;
};

Catalog::Impl::Impl(Surroundings surroundings, const Config& config)
    : tasks(surroundings.executor, "catalogue"),
      executor_(surroundings.executor),
      store_(surroundings.store),
      pool_(surroundings.pool),
      events_(std::move(surroundings.events)),
      environment_(std::move(surroundings.environment)),
      config_(config),
      scans_(executor_),
      changes_(executor_) {
    ignore_lease_signal();
}

asio::awaitable<Result<Catalog::Impl::Memory>> Catalog::Impl::remember() {
    auto read = [](Database& database) -> Result<Memory> {
        auto files = FileRepository(database).load_all();
        auto overrides = OverrideRepository(database).load_all();
        auto profiles = ProfileRepository(database).list();
        auto settings = SettingsRepository(database).load_all();
        if (!files || !overrides || !profiles || !settings) {
            return !files       ? files.error()
                   : !overrides ? overrides.error()
                   : !profiles  ? profiles.error()
                                : settings.error();
        }
        return Memory{std::move(*files), std::move(*overrides), std::move(*profiles),
                      std::move(*settings)};
    };
    co_return co_await store_.run(std::move(read));
}

asio::awaitable<Result<void>> Catalog::Impl::start() {
    auto memory = co_await remember();
    if (!memory) {
        co_return memory.error().within("read what the catalogue remembers");
    }
    auto restore = [rows = std::move(memory->files)] {
        Headers headers;
        headers.restore(rows);
        return headers;
    };
    headers_ = co_await run_on(pool_, std::move(restore));
    overrides_ = from_rows(memory->overrides);
    for (const auto& row : memory->profiles) {
        if (auto profile = profile_from_text(row.name, row.document)) {
            profiles_.insert_or_assign(row.name, std::move(*profile));
        } else {
            tell("catalog.warning", "", profile.error().message() + ", ignoring");
        }
    }
    chosen_default_ = memory->settings[std::string(setting::default_model)];
    active_profile = memory->settings[std::string(setting::active_profile)];
    saved_ids_ = ids_from_text(memory->settings[std::string(remembered_ids_setting)]);
    if (!profiles_.contains(active_profile)) {
        active_profile.clear();
    }
    const auto report = co_await scan_all("");
    report_scan(report);
    co_return Result<void>();
}

asio::awaitable<Result<void>> Catalog::Impl::apply(Config config) {
    config_ = std::move(config);
    const auto report = co_await scan_all("");
    report_scan(report);
    auto turn = co_await changes_.enter();
    co_await publish();  // settings of models may differ where no file does
    co_return Result<void>();
}

std::vector<std::string> Catalog::Impl::preload() const {
    const auto active = profiles_.find(active_profile);
    const bool own = active != profiles_.end() && active->second.preload;
    std::vector<std::string> ids;
    for (const auto& name : own ? *active->second.preload : config_.models.preload) {
        for (const auto& model : snapshot->models) {
            const bool meant = name == "*" || snapshot->find(name) == model.get();
            if (meant && model->enabled) {
                ids.push_back(model->id);
            }
        }
    }
    return ids;
}

void Catalog::Impl::tell(std::string type, std::string model, std::string message) {
    if (events_) {
        api::Event event;
        event.type = std::move(type);
        event.model = std::move(model);
        event.message = std::move(message);
        events_(std::move(event));
    }
}

Catalog::Catalog(Surroundings surroundings, const Config& config)
    : impl_(std::make_unique<Impl>(std::move(surroundings), config)) {}

Catalog::Catalog(const asio::any_io_executor& executor, Store& store, asio::thread_pool& pool,
                 const Config& config, api::EventSink events)
    : Catalog({executor, store, pool, std::move(events), process_environment()}, config) {}

Catalog::~Catalog() = default;

asio::awaitable<Result<void>> Catalog::start() {
    return impl_->finish(impl_->start());
}

SnapshotPtr Catalog::snapshot() const noexcept {
    return impl_->snapshot;
}

asio::awaitable<Result<ScanReport>> Catalog::rescan(std::optional<std::string> dir) {
    return impl_->finish(impl_->rescan(std::move(dir)));
}

asio::awaitable<Result<std::shared_ptr<const Model>>> Catalog::change(
    std::string name, std::vector<KeyChange> changes) {
    return impl_->finish(impl_->change(std::move(name), std::move(changes)));
}

asio::awaitable<Result<std::shared_ptr<const Model>>> Catalog::set_default(std::string name) {
    return impl_->finish(impl_->set_default(std::move(name)));
}

asio::awaitable<Result<void>> Catalog::clear_default() {
    return impl_->finish(impl_->clear_default());
}

asio::awaitable<Result<std::vector<Profile>>> Catalog::profiles() {
    co_return impl_->profiles();
}

asio::awaitable<Result<Profile>> Catalog::profile(std::string name) {
    co_return impl_->profile(name);
}

asio::awaitable<Result<Profile>> Catalog::create_profile(Profile profile) {
    return impl_->finish(impl_->create_profile(std::move(profile)));
}

asio::awaitable<Result<Profile>> Catalog::replace_profile(Profile profile) {
    return impl_->finish(impl_->replace_profile(std::move(profile)));
}

asio::awaitable<Result<void>> Catalog::remove_profile(std::string name) {
    return impl_->finish(impl_->remove_profile(std::move(name)));
}

asio::awaitable<Result<Profile>> Catalog::use_profile(std::string name) {
    return impl_->finish(impl_->use_profile(std::move(name)));
}

asio::awaitable<Result<void>> Catalog::leave_profile() {
    return impl_->finish(impl_->leave_profile());
}

const std::string& Catalog::active_profile() const noexcept {
    return impl_->active_profile;
}

std::vector<std::string> Catalog::preload() const {
    return impl_->preload();
}

void Catalog::on_change(std::function<void()> callback) {
    impl_->on_change.push_back(std::move(callback));
}

asio::awaitable<void> Catalog::watch() {
    return impl_->watch();
}

asio::awaitable<Result<void>> Catalog::apply(const Config& config) {
    return impl_->finish(impl_->apply(config));
}

asio::awaitable<void> Catalog::stop() {
    return impl_->tasks.wait();
}

}  // namespace routerd
