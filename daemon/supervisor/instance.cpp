#include "daemon/supervisor/instance.hpp"

#include <cerrno>
#include <utility>

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/process/environment.hpp"
#include "daemon/supervisor/endpoint.hpp"

namespace routerd {
namespace {

constexpr std::size_t kept_lines = 20;

std::string shell_line(const std::vector<std::string>& argv) {
    std::vector<std::string> words;
    words.reserve(argv.size());
    for (const auto& word : argv) {
        words.push_back(shell_quote(word));
    }
    return escaped(join(words, " "));
}

}  // namespace

Instance::Instance(Plan plan, Tools tools, LogFile* log)
    : plan_(std::move(plan)),
      tools_(tools),
      log_(log),
      wake_(tools_.executor),
      probe_(tools_.executor),
      recent_(kept_lines),
      errors_(kept_lines),
      started_(std::chrono::system_clock::now()),
      started_at_(steady_now()) {}

Instance::Instance(Plan plan, Tools tools, LogFile* log, const InstanceRow& row, Child child)
    : Instance(std::move(plan), tools, log) {
    adopted_ = true;
    endpoint_ = {row.unix_path, row.port};
    child_.emplace(std::move(child));
    started_ = row.started_at;
}

asio::awaitable<void> Instance::run() {
    constexpr int attempts = 3;  // a TCP port may be lost between its choice and its use
    Outcome outcome = Outcome::port_lost;
    for (int attempt = 0; attempt < attempts && outcome == Outcome::port_lost; ++attempt) {
        outcome = co_await start();
    }
    if (outcome == Outcome::ready) {
        state_ = InstanceState::ready;
        load_time_ = adopted_ ? std::nullopt : std::optional(since(started_at_));
        loaded_percent_.reset();
        server_ = std::make_shared<ModelServer>(endpoint_);
        tools_.observer.on_ready(*this);
        co_await learn_context();
        co_await serve();
    }
    if (abandoned_ && plan_.remote) {
        co_return;
    }
    if (abandoned_ && child_ && !exit_) {
        child_->release();
        log_->on_line(nullptr);
        co_return;
    }
    co_await end_process();
    co_await explain_end();
    state_ = InstanceState::off;
    if (log_ != nullptr) {
        log_->on_line(nullptr);
    }
    tools_.observer.on_ended(*this);
    co_await clean_up();
}

void Instance::stop() {
    stop_wanted_ = true;
    probe_.cancel();
    wake_.notify();
}

void Instance::kill() {
    in_hurry_ = true;
    stop();
}

void Instance::abandon() {
    abandoned_ = true;
    probe_.cancel();
    wake_.notify();
}

asio::awaitable<Instance::Outcome> Instance::start() {
    if (stop_wanted_) {
        co_return Outcome::wanted_stop;
    }
    failure_.clear();
    if (plan_.remote) {
        co_return co_await reach();
    }
    listen_to_log();
    const auto deadline = steady_now() + plan_.start_timeout;
    if (adopted_) {
        log_->skip_to_end(16U << 10U);
        tools_.watchers.spawn(watch());
        co_return co_await become_ready(deadline);
    }
    exit_.reset();
    auto spawned = prepare();
    if (spawned) {
        spawned = spawn();
    }
    if (!spawned) {
        const auto hint = spawned.error().hint();
        failure_ = spawned.error().message() + (hint.empty() ? "" : " (" + hint + ")");
        co_return Outcome::failed;
    }
    tools_.watchers.spawn(watch());
    co_await remember();
    co_return co_await become_ready(deadline);
}

/// A server of which the database does not know serves as well: a full disk is no reason not to
/// answer. After a crash of the daemon it is ended instead of adopted.
asio::awaitable<void> Instance::remember() {
    const auto recorded = co_await record();
    const bool was = std::exchange(remembered_, static_cast<bool>(recorded));
    if (was && !recorded) {
        spdlog::warn("remember the server of '{}': {}; after a crash it would be loaded again",
                     plan_.model, recorded.error().message());
    } else if (!was && recorded) {
        spdlog::info("the server of '{}' is remembered now", plan_.model);
    }
}

Result<void> Instance::prepare() {
    for (const auto& file : plan_.files) {
        struct stat info {};
        if (::stat(file.c_str(), &info) != 0) {
            return errno_error("the model's file '" + escaped(file) + "'", errno)
                .within("find the model (`routerctl rescan` looks what is there now)");
        }
    }
    ListenAt listen;
    if (plan_.folder.empty()) {
        const auto port = free_port();
        if (!port) {
            return port.error();
        }
        endpoint_ = {{}, *port};
        listen.port = std::to_string(*port);
    } else {
        auto path = socket_path(plan_.folder, plan_.id, plan_.model);
        if (!path) {
            return path.error();
        }
        if (const auto removed = remove_stale_socket(*path); !removed) {
            return removed.error();
        }
        endpoint_ = {*path, 0};
        listen.unix_path = std::move(*path);
    }
    auto command = plan_.command_line(listen);
    if (!command) {
        return command.error();
    }
    command_ = std::move(*command);
    return {};
}

Result<void> Instance::spawn() {
    started_ = std::chrono::system_clock::now();
    started_at_ = steady_now();
    if (const auto begun = log_->begin(started_, shell_line(command_.argv)); !begun) {
        spdlog::warn("{}; the model is loaded all the same", begun.error().message());
    }
    auto environment = command_.environment;
    environment["ROUTERD_OWNER"] = plan_.owner;
    environment["ROUTERD_STARTED_BY"] = plan_.started_by;
    environment["ROUTERD_INSTANCE"] = mark();
    Child::Program program;
    program.argv = command_.argv;
    program.environment = server_environment(environment);
    program.log_fd = log_->fd();
    auto child = Child::spawn(program);
    if (!child) {
        return child.error();
    }
    child_.emplace(std::move(*child));
    return {};
}

std::string Instance::mark() const {
    return plan_.owner + "#" + std::to_string(plan_.id);
}

asio::awaitable<Result<void>> Instance::record() {
    InstanceRow row;
    row.id = static_cast<std::int64_t>(plan_.id);
    row.model = plan_.model;
    row.pid = child_->pid();
    row.start_ticks = child_->identity().start_ticks;
    row.boot_id = child_->identity().boot_id;
    row.unix_path = endpoint_.unix_path;
    row.port = endpoint_.port;
    row.argv = nlohmann::json(command_.argv)
                   .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    row.argv_hash = plan_.fingerprint;
    row.log_path = log_->paths().current;
    row.slots = plan_.slots;
    row.started_at = started_;
    if (std::exchange(recorded_, true)) {  // a second try after a lost port
        const auto removed = co_await tools_.rows.remove(row.id);
        if (!removed) {
            co_return removed.error();
        }
    }
    co_return co_await tools_.rows.insert(std::move(row));
}

void Instance::listen_to_log() {
    recent_.clear();
    errors_.clear();
    memory_log_ = adopted_ ? nullptr : plan_.backend->memory_log();
    log_->on_line([this](std::string_view line) {
        const auto hint = plan_.backend->read_line(line);
        recent_.add(line);
        if (hint.is_error) {
            errors_.add(line);
        }
        if (memory_log_ && !is_ready()) {
            memory_log_->add(line);
        }
        if (hint.loaded_percent && state_ != InstanceState::ready) {
            loaded_percent_ = hint.loaded_percent;
            tools_.observer.on_progress(*this);
        }
    });
}

std::vector<DeviceNeed> Instance::logged_memory() const {
    return memory_log_ ? memory_log_->devices() : std::vector<DeviceNeed>();
}

InstanceView Instance::view() const {
    InstanceView view;
    view.id = plan_.id;
    view.model = plan_.model;
    view.state = state_;
    view.slots = plan_.slots;
    view.context = plan_.context;
    view.pid = pid();
    view.elsewhere = endpoint_.remote != nullptr && end_.empty();
    view.rss_bytes = view.pid > 0 ? resident_bytes(view.pid) : 0;
    view.port = endpoint_.port;
    view.address = endpoint_.text();
    view.started = started_;
    view.load_time = load_time_;
    view.loaded_percent = loaded_percent_;
    view.tokens_per_second = rate_;
    view.adopted = adopted_;
    return view;
}

}  // namespace routerd
