// The part of the fleet that knows how a model is started.
#include <algorithm>
#include <cstdio>
#include <utility>

#include <sys/stat.h>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/config/secret_file.hpp"
#include "daemon/supervisor/endpoint.hpp"
#include "daemon/supervisor/fleet_core.hpp"

namespace routerd {
namespace {

/// FNV-1a, 64 bits: the same in every build, as it is kept in the database.
class Fingerprint {
  public:
    void add(const std::string& text) {
        for (const char c : text) {
            add_byte(static_cast<unsigned char>(c));
        }
        add_byte(0);  // "a", "bc" is not "ab", "c"
    }

    std::string text() const {
        std::array<char, 17> hex{};
        std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(hash_));
        return hex.data();
    }

  private:
    void add_byte(unsigned char byte) {
        constexpr std::uint64_t prime = 0x100000001b3ULL;
        hash_ = (hash_ ^ byte) * prime;
    }

    std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

Result<CommandLine> make_command_line(const Model& model, const Config& config,
                                      const ListenAt& listen, const DevicePlan& where) {
    const auto* backend = backend_of(model);
    if (backend == nullptr) {
        return Error(Errc::load_failed, "model '" + model.id + "' wants the unknown backend '" +
                                            escaped(model.settings.backend.value_or("")) + "'")
            .with_hint("routerctl unset " + model.id + " backend");
    }
    return backend->command_line(model, config, listen, where);
}

std::string fingerprint_of(const Model& model, const CommandLine& command) {
    Fingerprint print;
    for (const auto& word : command.argv) {
        print.add(word);
    }
    for (const auto& [name, value] : command.environment) {
        print.add(name + "=" + value);
    }
    print.add(std::to_string(model.size_bytes));
    print.add(format_rfc3339(model.modified));  // another file under the same name
    return print.text();
}

/// Another key in its file is another server, too.
std::string remote_fingerprint(const ModelConfig& settings) {
    Fingerprint print;
    for (const auto& text : {settings.url, settings.key_file, settings.ca_file}) {
        print.add(text.value_or(""));
    }
    for (const auto& file : {settings.key_file, settings.ca_file}) {
        struct stat info {};
        const bool is_there = file && ::stat(file->c_str(), &info) == 0;
        print.add(is_there ? std::to_string(info.st_mtim.tv_sec) + "." +
                                 std::to_string(info.st_mtim.tv_nsec)
                           : "");
    }
    return print.text();
}

Result<std::shared_ptr<const RemoteServer>> remote_server(const ModelConfig& settings) {
    if (!settings.url) {
        return Error(Errc::load_failed, "its backend is remote, and nothing says where that is")
            .with_hint("set url under [model.\"NAME\"], or unset backend");
    }
    std::string key;
    if (settings.key_file) {
        auto keys = read_secret_file(*settings.key_file);
        if (!keys) {
            return keys.error();
        }
        key = std::move(keys->front());
    }
    return make_remote_server(*settings.url, std::move(key), settings.ca_file.value_or(""));
}

bool wants_tcp(const Config& config) {
    return config.llama_server.listen == ServerListen::tcp;
}

}  // namespace

std::shared_ptr<const Model> Fleet::Core::enabled_model(const std::string& id) const {
    const auto model = std::ranges::find_if(
        catalog_->models, [&id](const auto& candidate) { return candidate->id == id; });
    return model != catalog_->models.end() && (*model)->enabled ? *model : nullptr;
}

std::map<std::string, scheduler::ModelRules> Fleet::Core::model_rules() const {
    std::map<std::string, scheduler::ModelRules> all;
    for (const auto& found : catalog_->models) {
        if (!found->enabled) {
            continue;
        }
        auto planned = prepare(found);
        const auto& model = *planned.model;
        scheduler::ModelRules rules;
        const auto* backend = backend_of(model);
        rules.slots = backend == nullptr ? 1 : backend->slots(model, *config_);
        rules.pinned = model.pinned;
        rules.fingerprint = std::move(planned.fingerprint);
        if (is_elsewhere(model)) {
            rules.places.counts = false;
            rules.idle_unload = model.settings.idle_unload.value_or(Duration(0));
            all.emplace(model.id, std::move(rules));
            continue;
        }
        rules.instances = model.settings.instances.value_or(1);
        rules.places.groups = model.settings.groups.value_or(std::vector<std::string>());
        rules.idle_unload = model.settings.idle_unload.value_or(config_->limits.idle_unload);
        rules.placements = std::move(planned.placements);
        all.emplace(model.id, std::move(rules));
    }
    return all;
}

/// How the model would be started now. The fingerprint is that of the command line without any
/// choice of devices: a server runs on when another choice becomes the better one. Without a
/// command line (there is no server program) there is no fingerprint either: that is no reason to
/// stop what runs.
Fleet::Core::Planned Fleet::Core::prepare(const std::shared_ptr<const Model>& model) const {
    Planned planned;
    planned.model = model;
    if (is_elsewhere(*model)) {
        planned.fingerprint = remote_fingerprint(model->settings);
        return planned;
    }
    ListenAt listen;
    listen.unix_path = wants_tcp(*config_) ? "" : "{socket}";
    listen.port = "{port}";
    const auto command = make_command_line(*model, *config_, listen, DevicePlan());
    if (!command) {
        return planned;
    }
    const auto* backend = backend_of(*model);
    planned.launch = backend->launch_parameters(*command);
    if (planned.launch) {
        if (const auto smaller = with_less_context(*model, *planned.launch)) {
            return prepare(smaller);
        }
        planned.options = memory_.options(*model, *planned.launch);
        for (const auto& option : planned.options) {
            planned.placements.push_back(option.footprint);
        }
    }
    planned.fingerprint = fingerprint_of(*model, *command);
    return planned;
}

/// A copy with a context that fits, where nobody asked for one and the whole that the model was
/// trained for would not fit on the empty machine; nullptr otherwise.
std::shared_ptr<const Model> Fleet::Core::with_less_context(const Model& model,
                                                            const LaunchParameters& whole) const {
    if (model.settings.context || memory_.fits_well(model, whole)) {
        return nullptr;
    }
    const auto* backend = backend_of(model);
    auto copy = std::make_shared<Model>(model);
    const auto launch_with = [&](unsigned context) {
        copy->settings.context = context;
        const auto command = make_command_line(*copy, *config_, {"", "{port}"}, DevicePlan());
        const auto launch = command ? backend->launch_parameters(*command) : std::nullopt;
        return launch.value_or(LaunchParameters());
    };
    const auto context = memory_.fitting_context(model, launch_with);
    if (!context) {
        return nullptr;
    }
    copy->settings.context = *context;
    return copy;
}

Instance::Plan Fleet::Core::plan_for(const std::shared_ptr<const Model>& found, std::uint64_t id,
                                     const scheduler::Footprint& reserved) const {
    auto planned = prepare(found);
    const auto model = planned.model;
    const auto* backend = backend_of(*model);
    Instance::Plan plan;
    plan.id = id;
    plan.model = model->id;
    plan.backend = backend == nullptr ? find_backend("") : backend;
    plan.where = place_of(planned, reserved);
    const auto devices = memory_.check_devices(*model);
    plan.command_line = [model, config = config_, where = plan.where,
                         devices](const ListenAt& listen) {
        return devices ? make_command_line(*model, *config, listen, where) : devices.error();
    };
    plan.files = model->files;
    if (!model->mmproj.empty()) {
        plan.files.push_back(model->mmproj);
    }
    const auto& adapters = model->settings.lora ? *model->settings.lora : model->adapters;
    plan.files.insert(plan.files.end(), adapters.begin(), adapters.end());
    plan.fingerprint = std::move(planned.fingerprint);
    plan.owner = config_->state.dir;
    plan.started_by = mark_;
    plan.folder = wants_tcp(*config_) || !plan.backend->info().unix_socket
                      ? std::string()
                      : config_->state.runtime_dir;
    plan.slots = plan.backend->slots(*model, *config_);
    plan.context = plan.backend->context(*model, *config_);
    plan.start_timeout = config_->limits.start_timeout;
    plan.stop_timeout = config_->limits.stop_timeout;
    plan.probe_interval = config_->limits.probe_interval;
    if (is_elsewhere(*model)) {
        plan.remote = [model] { return remote_server(model->settings); };
        plan.probe_interval = Duration(0);
    }
    return plan;
}

Instance::Tools Fleet::Core::tools() {
    return {services_.executor, services_.pool, services_.rows, watchers_, *this};
}

Result<CommandLine> Fleet::Core::command_line(const Model& model) const {
    ListenAt listen;
    listen.port = "{port}";
    const auto* instance = instance_of(model.id);
    if (instance != nullptr && !instance->endpoint().unix_path.empty()) {
        listen.unix_path = instance->endpoint().unix_path;
    } else if (!wants_tcp(*config_)) {
        const auto next = scheduler_.world().next_instance;
        auto path = socket_path(config_->state.runtime_dir, next, model.id);
        if (!path) {
            return path.error();
        }
        listen.unix_path = std::move(*path);
    }
    if (const auto devices = memory_.check_devices(model); !devices) {
        return devices.error();
    }
    const auto planned = prepare(std::make_shared<const Model>(model));
    return make_command_line(*planned.model, *config_, listen, place_of(planned, {}));
}

Result<CommandLine> Fleet::Core::command_line(const std::string& id) const {
    for (const auto& model : catalog_->models) {
        if (model->id == id) {
            return command_line(*model);
        }
    }
    return Error(Errc::not_found, "no model '" + escaped(id) + "'");
}

/// The log of the model's server of that number, from 1: each of several has its own.
std::string Fleet::Core::log_path(const std::string& model, unsigned number) const {
    const auto name = file_name_of(model) + (number == 1 ? "" : "." + std::to_string(number));
    return config_->state.dir + "/logs/" + name + ".log";
}

/// The first that no server writes into now.
std::string Fleet::Core::free_log_path(const std::string& model) const {
    for (unsigned number = 1;; ++number) {
        auto path = log_path(model, number);
        const bool is_taken = std::ranges::any_of(instances_, [&path](const auto& entry) {
            return entry.second.instance->log_path() == path;
        });
        if (!is_taken) {
            return path;
        }
    }
}

std::vector<std::string> Fleet::Core::log_files(const std::string& id) const {
    return {log_path(id), log_path(id) + ".1"};
}

Result<LogFile*> Fleet::Core::log_of(const std::string& path) {
    auto& log = logs_[path];
    if (!log) {
        LogFile::Place place{path, config_->llama_server.log_size};
        auto opened = LogFile::open(services_.executor, services_.pool, std::move(place));
        if (!opened) {
            return opened.error();
        }
        log = std::move(*opened);
    }
    if (const auto reopened = log->reopen_if_gone(); !reopened) {
        return reopened.error();
    }
    const auto watched = follower_ ? follower_->watch(*log) : Result<void>();
    if (!watched) {  // without it the log is neither followed nor rotated, and the model runs
        spdlog::warn("{}", watched.error().message());
    }
    return log.get();
}

Result<LogFile*> Fleet::Core::log_to_read(const std::string& id, std::uint64_t instance) {
    const auto kept = instances_.find(instance);
    const auto path = kept == instances_.end() ? log_path(id) : kept->second.instance->log_path();
    const auto known = logs_.find(path);
    if (known != logs_.end() && known->second) {
        return known->second.get();
    }
    if (::access(path.c_str(), F_OK) != 0) {
        return Error(Errc::not_found, "model '" + escaped(id) + "' has no log: it never ran here");
    }
    return log_of(path);
}

}  // namespace routerd
