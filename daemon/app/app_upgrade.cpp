// The part of the daemon that leaves its place to another process, and ends after its requests.
#include <chrono>
#include <csignal>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/log.hpp"
#include "daemon/app/app.hpp"
#include "daemon/app/notify.hpp"
#include "daemon/process/pidfd.hpp"
#include "daemon/succession/arrivals.hpp"
#include "daemon/succession/codec.hpp"

namespace routerd {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds time_to_prepare(60);
constexpr seconds time_to_serve(120);  // a large database may have to be migrated
constexpr seconds time_for_commands(10);
constexpr seconds time_for_answers(5);
constexpr milliseconds look_again(5);

/// What a successor says that cannot take over.
Error reason_in(const json& packet, const std::string& file) {
    if (const auto number = packet.find("errno"); number != packet.end()) {
        return errno_error("start '" + file + "'", std::atoi(number->get<std::string>().c_str()));
    }
    return succession::error_from(packet.value("error", json::object()))
        .within("'" + file + "' cannot take over");
}

Packet packet_of(const HandedOver& released) {
    Packet packet;
    packet.body = {{"is", "listener"},
                   {"name", released.name},
                   {"owns_file", released.owns_file},
                   {"address", succession::to_json(released.address)},
                   {"asked", succession::to_json(released.asked)}};
    packet.files.emplace_back(::fcntl(released.socket.get(), F_DUPFD_CLOEXEC, 3));
    return packet;
}

}  // namespace

/// A successor that has its configuration and can begin at once.
asio::awaitable<Result<App::Successor>> App::start_successor_from(std::string file) {
    auto pair = Link::make_pair();
    if (!pair) {
        co_return pair.error();
    }
    const auto started = start_successor(file, program_, pair->second.get());
    pair->second.reset();
    if (!started) {
        co_return started.error();
    }
    Successor successor;
    successor.link = std::make_unique<Link>(loop_.get_executor(), std::move(pair->first));
    auto said = co_await successor.link->receive(steady_now() + time_to_prepare);
    const Error ended(Errc::unavailable, "'" + file + "' ended before it could take over");
    std::optional<Error> problem;
    if (!said) {
        problem = said.error().code() == Errc::deadline_exceeded
                      ? said.error().within("wait for '" + file + "' to be ready")
                      : ended.with_hint("what it said is in the log, or where its output goes");
    } else if (said->body.value("is", "") != "prepared") {
        problem = reason_in(said->body, file);
    } else if (said->body.value("protocol", 0) != succession::protocol ||
               said->body.value("state_dir", "") != loaded_.config.state.dir) {
        problem =
            Error(Errc::conflict, "'" + file +
                                      "' is of a version, or has a [state] dir, "
                                      "that cannot take over from this one")
                .with_hint("restart it instead: routerctl shutdown --keep-models, then start");
    }
    if (problem) {
        co_await successor.link->close();
        co_return *problem;
    }
    successor.pid = said->body.value("pid", std::uint64_t{0});
    successor.version = said->body.value("version", "");
    successor.process = open_pidfd(static_cast<pid_t>(successor.pid));
    co_return successor;
}

/// Until the daemon itself answers nobody any more but `asker`; a bounded time, for no single
/// request may keep all who connect waiting.
asio::awaitable<void> App::wait_for_own(const Connection* asker, Duration most) {
    const auto deadline = steady_now() + most;
    asio::steady_timer pause(loop_);
    while (server_.active_own(asker) > 0 && steady_now() < deadline) {
        pause.expires_after(look_again);
        co_await pause.async_wait(no_throw);
    }
}

/// From here on nothing is begun or written down any more by this process.
asio::awaitable<void> App::leave(const Connection* asker) {
    co_await control_.finish(steady_now() + time_for_commands);
    co_await fleet_.finish_stopping();
    released_ = server_.release_listeners();
    leaving_ = true;
    const auto pass = [this](Arrival arrival) { pass_to_successor(std::move(arrival)); };
    server_.hand_over(pass);
    for (const auto& worker : workers_) {
        worker->hand_over(pass);
    }
    server_.cut_own(asker);
    co_await control_.stop();
    auto take_over = [this](Legacy legacy) { successor_gate_.take_over(std::move(legacy)); };
    co_await fleet_.hand_over(successor_gate_, std::move(take_over));
    co_await llama_router_.stop();
    co_await pulls_.stop();
    co_await wait_for_own(asker, time_for_answers);  // they may use the store
    co_await telemetry_.stop();
    watch_.cancel();
    co_await watch_.wait();
    co_await catalog_.stop();
    store_->join();
}

/// Gives all there is to a successor and waits until it serves.
asio::awaitable<Result<void>> App::give_to(Successor& successor) {
    auto& link = *successor.link;
    for (const auto& released : released_) {
        link.send(packet_of(released));
    }
    auto lock = lock_.share();
    if (!lock) {
        co_return lock.error();
    }
    Packet with_lock;
    with_lock.body = {{"is", "lock"}};
    with_lock.files.push_back(std::move(*lock));
    link.send(std::move(with_lock));
    for (auto& held : successor_gate_.held()) {
        link.say(std::move(held));
    }
    link.say({{"is", "go"}});
    successor_gate_.attach(link);
    const auto deadline = steady_now() + time_to_serve;
    for (;;) {
        auto said = co_await link.receive(deadline);
        if (!said) {
            co_return said.error();
        }
        const auto is = said->body.value("is", "");
        if (is == "serving") {
            co_return Result<void>();
        }
        if (is == "failed") {
            co_return reason_in(said->body, program_.path);
        }
        hear(said->body);
    }
}

void App::hear(const json& packet) {
    try {
        successor_gate_.take(packet);
    } catch (const json::exception& e) {
        spdlog::error("what the successor says: {}", e.what());
    }
}

void App::pass_to_successor(const Record& record) {
    if (!successor_.link) {
        return held_records_.push_back(record);
    }
    successor_.link->say({{"is", "record"}, {"record", succession::to_json(record)}});
}

void App::pass_to_successor(Arrival arrival) {
    if (!successor_.link) {
        held_back_.push_back(std::move(arrival));
        return;
    }
    auto packet = succession::to_packet(std::move(arrival));
    if (!packet) {
        return spdlog::error("pass a connection on: {}", packet.error().message());
    }
    successor_.link->send(std::move(*packet));
}

asio::awaitable<Result<api::UpgradeResult>> App::upgrade(const Connection* asker) {
    if (stopping_ || leaving_ || upgrading_) {
        co_return Error(Errc::conflict, "routerd is stopping or being replaced already");
    }
    if (::getpid() == 1) {
        co_return Error(Errc::conflict, "this routerd is process 1: what it runs in ends with it")
            .with_hint("start a new container, and stop this one when it serves");
    }
    upgrading_ = true;
    const auto turn = co_await reloads_.enter();
    auto result = co_await try_upgrade(asker);
    upgrading_ = false;
    if (!result) {
        spdlog::error("{}", result.error().message());
    }
    if (stop_asked_ && result) {
        send_signal(successor_.process, SIGTERM);
    } else if (stop_asked_) {
        stop_.notify();
    }
    co_return result;
}

asio::awaitable<Result<api::UpgradeResult>> App::try_upgrade(const Connection* asker) {
    spdlog::info("starting '{}' to take over", program_.path);
    auto successor = co_await start_successor_from(program_.path);
    if (!successor) {
        co_return successor.error().within("upgrade (this routerd goes on)");
    }
    if (stop_asked_) {
        co_await successor->link->close();
        co_return Error(Errc::shutting_down, "upgrade: routerd was asked to stop meanwhile");
    }
    co_await leave(asker);
    auto given = co_await give_to(*successor);
    if (!given) {
        // The file that this process runs from may be gone, but not for itself.
        spdlog::error("upgrade: {}; starting this version again", given.error().message());
        successor_gate_.unattach();
        send_signal(successor->process, SIGKILL);  // late, it would be a second daemon
        co_await successor->link->close();
        successor = co_await start_successor_from("/proc/self/exe");
        if (successor) {
            given = co_await give_to(*successor);
        } else {
            given = successor.error();
        }
    }
    retires_ = true;
    stop_.notify();
    if (!given) {
        successor_gate_.detach();
        outcome_ = given.error().within("upgrade: neither the new version nor this one can begin");
        co_return given.error();
    }
    successor_ = std::move(*successor);
    // It is the service's process now; from here on the service manager listens to it.
    notify_service_manager("MAINPID=" + std::to_string(successor_.pid) +
                           "\nREADY=1\nSTATUS=serving");
    std::signal(SIGCHLD, SIG_IGN);  // model servers that end are not for us to ask about any more
    lock_.release();
    released_.clear();
    for (auto& arrival : std::exchange(held_back_, {})) {
        pass_to_successor(std::move(arrival));
    }
    for (const auto& record : std::exchange(held_records_, {})) {
        pass_to_successor(record);
    }
    successors_.spawn(listen_to_successor());
    api::UpgradeResult result;
    result.pid = successor_.pid;
    result.version = successor_.version;
    result.old_pid = static_cast<std::uint64_t>(::getpid());
    result.old_version = ROUTERD_VERSION;
    result.requests = facts().active - (asker != nullptr ? 1 : 0);
    spdlog::info("process {} has taken over; {} requests are answered here to their end",
                 result.pid, result.requests);
    co_return result;
}

asio::awaitable<void> App::listen_to_successor() {
    for (;;) {
        auto said = co_await successor_.link->receive();
        if (!said) {
            break;
        }
        hear(said->body);
    }
    successor_gate_.detach();
}

asio::awaitable<void> App::upgrade_by_signal() {
    const auto done = co_await upgrade(nullptr);
    static_cast<void>(done);  // it is in the log
}

/// Who asked for it asked the routerd before.
asio::awaitable<void> App::unload(std::string model) {
    const auto done = co_await fleet_.unload(std::move(model));
    static_cast<void>(done);  // what was done is an event
}

asio::awaitable<void> App::serve_predecessor() {
    Predecessor::Services services{
        .executor = loop_.get_executor(),
        .gate = fleet_,
        .serve =
            [this](Arrival arrival) {
                leaving_ ? pass_to_successor(std::move(arrival)) : server_.take(std::move(arrival));
            },
        .load =
            [this](const std::string& model) {
                const auto begun = fleet_.start_load(model);
                static_cast<void>(begun);  // a refusal is an event already
            },
        .unload = [this](std::string model) { predecessors_.spawn(unload(std::move(model))); },
        .account = [this](Record record,
                          const std::string& route) { take_record(std::move(record), route); }};
    co_await predecessor_->serve(std::move(services), fleet_.take_inherited());
    spdlog::info("the routerd before has ended");
}

/// One of the routerd before.
void App::take_record(Record record, const std::string& route) {
    for (const auto& known : routes_.all()) {
        if (known.pattern == route) {
            record.route = known.pattern;
            break;
        }
    }
    log_record(record);
}

/// What a daemon does that another has replaced: answers what it has, and ends.
asio::awaitable<void> App::retire() {
    constexpr seconds to_hear(1);  // for whoever asked for this
    co_await wait_for_own(nullptr, to_hear);
    server_.cut_own(nullptr);
    for (const auto& worker : workers_) {
        worker->cut_own();
    }
    for (const auto& worker : workers_) {
        co_await worker->wait();
    }
    co_await server_.wait();
    proxy_.close();
    if (predecessor_) {
        co_await predecessors_.wait();  // its requests are ours to pass on as long as it has any
    }
    if (successor_.link) {
        co_await successor_.link->flush();
        co_await successor_.link->close();
    }
    co_await successors_.wait();
}

}  // namespace routerd
