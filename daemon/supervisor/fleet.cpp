#include "daemon/supervisor/fleet.hpp"

#include <utility>

#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {

std::string_view to_string(InstanceState state) noexcept {
    switch (state) {
        case InstanceState::off:
            return "off";
        case InstanceState::starting:
            return "starting";
        case InstanceState::loading:
            return "loading";
        case InstanceState::ready:
            return "ready";
        case InstanceState::draining:
            return "draining";
        case InstanceState::stopping:
            return "stopping";
        case InstanceState::crashed:
            return "crashed";
        case InstanceState::failed:
            return "failed";
    }
    return "off";
}

Fleet::Fleet(Services services, const Config& config)
    : core_(std::make_unique<Core>(*this, std::move(services), config)) {}

Fleet::~Fleet() = default;

void Fleet::set_catalog(SnapshotPtr snapshot) {
    core_->set_catalog(std::move(snapshot));
}

void Fleet::apply(const Config& config) {
    core_->apply(config);
}

asio::awaitable<Result<void>> Fleet::adopt(std::vector<Legacy::Held> held) {
    return core_->adopt(std::move(held));
}

std::vector<std::pair<std::uint64_t, Ticket>> Fleet::take_inherited() {
    return core_->take_inherited();
}

asio::awaitable<void> Fleet::finish_stopping() {
    return core_->finish_stopping();
}

asio::awaitable<void> Fleet::hand_over(Gate& successor, std::function<void(Legacy)> take_over) {
    co_await core_->finish_stopping();
    auto on_closing = [this](std::uint64_t instance) { core_->tell_closing(instance); };
    successor.on_closing_instance(std::move(on_closing));
    successor_ = &successor;
    take_over(core_->leave_all());
    co_await core_->close();
}

asio::awaitable<Admission> Fleet::admit(std::string key) {
    if (successor_ != nullptr) {
        co_return co_await successor_->admit(std::move(key));
    }
    co_return core_->admit(key);
}

Ticket Fleet::request(const Demand& demand) {
    return successor_ != nullptr ? successor_->request(demand)
                                 : core_->request(demand, scheduler::Cause::request);
}

asio::awaitable<std::size_t> Fleet::least_busy(std::vector<std::string> models) {
    if (successor_ != nullptr) {
        co_return co_await successor_->least_busy(std::move(models));
    }
    co_return least_busy_now(models);
}

std::size_t Fleet::least_busy_now(const std::vector<std::string>& models) const {
    return core_->least_busy(models);
}

void Fleet::leave(std::uint64_t ticket) {
    successor_ != nullptr ? successor_->leave(ticket) : core_->leave(ticket);
}

void Fleet::release(std::uint64_t ticket, std::uint64_t instance, const LeaseReport& report) {
    successor_ != nullptr ? successor_->release(ticket, instance, report)
                          : core_->release(ticket, instance, report);
}

asio::awaitable<Ticket::Progress> Fleet::progress(std::uint64_t ticket) {
    if (successor_ != nullptr) {
        co_return co_await successor_->progress(ticket);
    }
    co_return core_->progress(ticket);
}

asio::awaitable<std::string> Fleet::end_of(std::uint64_t instance,
                                           std::chrono::milliseconds grace) {
    return successor_ != nullptr ? successor_->end_of(instance, grace)
                                 : core_->end_within(instance, grace);
}

asio::awaitable<Result<void>> Fleet::load(std::string id) {
    return core_->load(std::move(id));
}

Result<void> Fleet::start_load(const std::string& id) {
    return core_->start_load(id, scheduler::Cause::command);
}

void Fleet::preload(const std::vector<std::string>& ids) {
    for (const auto& id : ids) {
        const auto begun = core_->start_load(id, scheduler::Cause::preload);
        static_cast<void>(begun);  // a refusal is an event already
    }
}

asio::awaitable<Result<bool>> Fleet::unload(std::string id) {
    return core_->unload(std::move(id));
}

asio::awaitable<std::size_t> Fleet::unload_all() {
    return core_->unload_all();
}

asio::awaitable<Result<void>> Fleet::restart(std::string id) {
    return core_->restart(std::move(id));
}

Result<std::string> Fleet::reset(const std::string& id) {
    return core_->reset(id);
}

std::vector<InstanceView> Fleet::instances() const {
    return core_->instances();
}

InstanceView Fleet::view(const std::string& id) const {
    return core_->view(id);
}

InstanceState Fleet::model_state(const std::string& id) const {
    return core_->view(id).state;
}

std::vector<DeviceReport> Fleet::memory() const {
    return core_->memory();
}

std::vector<WaitingReport> Fleet::queue() const {
    return core_->queue();
}

Result<WaitingReport> Fleet::cancel(const std::string& request) {
    return core_->cancel(request);
}

std::map<std::string, QueueTotals> Fleet::queue_totals() const {
    return core_->queue_totals();
}

Result<EstimateReport> Fleet::estimate(const std::string& id,
                                       const EstimateOptions& options) const {
    return core_->estimate(id, options);
}

Result<std::vector<Decision>> Fleet::explain(const std::string& model_or_request) const {
    return core_->explain(model_or_request);
}

LoadPlan Fleet::preview(const std::string& id, bool exclusive) const {
    return core_->preview(id, exclusive);
}

Result<CommandLine> Fleet::command_line(const Model& model) const {
    return core_->command_line(model);
}

Result<CommandLine> Fleet::command_line(const std::string& id) const {
    return core_->command_line(id);
}

asio::awaitable<Result<LogPage>> Fleet::read_log(std::string id, LogQuery query,
                                                 std::uint64_t instance) {
    const auto log = core_->log_to_read(id, instance);
    if (!log) {
        co_return log.error();
    }
    co_await (*log)->catch_up();
    co_return co_await (*log)->read(std::move(query));
}

asio::awaitable<void> Fleet::wait_log(std::string id, std::uint64_t seen, TimePoint deadline,
                                      std::uint64_t instance) {
    const auto log = core_->log_to_read(id, instance);
    if (log) {
        co_await (*log)->wait_past(seen, deadline);
    }
}

std::vector<std::string> Fleet::log_files(const std::string& id) const {
    return core_->log_files(id);
}

std::vector<HealthReport> Fleet::health() const {
    return core_->health();
}

void Fleet::on_closing_instance(std::function<void(std::uint64_t)> callback) {
    core_->on_closing_instance(std::move(callback));
}

void Fleet::on_change(std::function<void()> callback) {
    core_->on_change(std::move(callback));
}

Fleet::Totals Fleet::totals() const {
    return core_->totals();
}

asio::awaitable<void> Fleet::shutdown(OnShutdown servers) {
    return core_->shutdown(servers);
}

void Fleet::hurry() {
    core_->hurry();
}

}  // namespace routerd
