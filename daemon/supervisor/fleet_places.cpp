// The part of the fleet that knows where servers are put: which option was taken, and which GPUs a
// server program can use at all.
#include <algorithm>
#include <filesystem>
#include <ranges>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/devices/small_file.hpp"
#include "daemon/supervisor/fleet_core.hpp"
#include "daemon/supervisor/program_answer.hpp"

namespace routerd {
namespace {

/// To start CUDA takes seconds, more on a machine with many GPUs.
constexpr Duration answer_limit = std::chrono::seconds(30);

/// Of the file; changes with each other build of it. Empty: it is not there.
std::string stamp_of(const std::string& path) {
    std::error_code ec;
    const auto time = std::filesystem::last_write_time(path, ec);
    return ec ? std::string() : std::to_string(time.time_since_epoch().count());
}

}  // namespace

/// The option that the scheduler means by what it reserved. Corrections may have changed the
/// figures since: then the one on the same devices, else the first.
DevicePlan Fleet::Core::place_of(const Planned& planned, const scheduler::Footprint& reserved) {
    const auto& options = planned.options;
    auto found = std::ranges::find(options, reserved, &MemoryOption::footprint);
    if (found == options.end()) {
        found = std::ranges::find_if(options, [&reserved](const MemoryOption& option) {
            return std::ranges::equal(std::views::keys(option.footprint),
                                      std::views::keys(reserved));
        });
    }
    if (found != options.end()) {
        return found->where;
    }
    return options.empty() ? DevicePlan() : options.front().where;
}

/// The option by which an earlier daemon started this server: its environment says what it may
/// see. Where none is like it, the first; nullptr: there is none.
const MemoryOption* Fleet::Core::option_of(const Planned& planned, const InstanceRow& row) const {
    if (planned.options.empty()) {
        return nullptr;
    }
    const auto path = services_.roots.proc + "/" + std::to_string(row.pid) + "/environ";
    const auto environment = read_small_file(path);
    const auto entries = split(environment ? std::string_view(*environment) : "", '\0');
    const auto has = [&entries](const auto& variable) {
        return std::ranges::find(entries, variable.first + "=" + variable.second) != entries.end();
    };
    const auto* backend = backend_of(*planned.model);
    const auto is_its = [&](const MemoryOption& option) {
        const auto command = backend->command_line(*planned.model, *config_, {}, option.where);
        return command && std::ranges::all_of(command->environment, has);
    };
    const auto found = std::ranges::find_if(planned.options, is_its);
    return found == planned.options.end() ? &planned.options.front() : &*found;
}

/// Only where there are GPUs, and once for each build of a program.
void Fleet::Core::ask_programs() {
    if (!memory_.has_gpus() || closed_) {
        return;
    }
    for (const auto* backend : backends()) {
        auto question = backend->device_question(*config_);
        const auto stamp = question.empty() ? std::string() : stamp_of(question.front());
        if (stamp.empty() || std::exchange(asked_[question.front()], stamp) == stamp) {
            continue;
        }
        watchers_.spawn(ask_program(*backend, std::move(question)));
    }
}

asio::awaitable<void> Fleet::Core::ask_program(const Backend& backend,
                                               std::vector<std::string> question) {
    const auto path = question.front();
    const auto answer = co_await answer_of(std::move(question), answer_limit);
    if (closed_) {
        co_return;
    }
    const auto support = answer ? backend.read_devices(*answer) : std::nullopt;
    if (!support) {
        spdlog::warn("which GPUs '{}' can use is not known, going on as if all: {}", path,
                     answer ? "its answer is no list of devices" : answer.error().message());
        co_return;
    }
    if (memory_.note_program(path, *support)) {
        place_again();
    }
}

/// Models may lie elsewhere than was thought, those that run, too.
void Fleet::Core::place_again() {
    carry_out(scheduler_.set_models(model_rules(), turn_now()));
    for (const auto& [id, kept] : instances_) {
        const auto& plan = kept.instance->plan();
        const auto found = enabled_model(plan.model);
        const auto planned = found ? prepare(found) : Planned();
        if (!planned.launch || planned.fingerprint != plan.fingerprint) {
            continue;
        }
        if (auto option = memory_.option_at(*planned.model, *planned.launch, plan.where)) {
            carry_out(scheduler_.on_measured(id, std::move(option->footprint), turn_now()));
        }
    }
}

}  // namespace routerd
