#include "daemon/succession/predecessor.hpp"

#include <chrono>
#include <optional>

#include <unistd.h>

#include "common/base/log.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/net/tls_session.hpp"
#include "daemon/succession/arrivals.hpp"
#include "daemon/succession/codec.hpp"

namespace routerd {

using nlohmann::json;

/// While it is served.
struct Predecessor::Inside {
    Inside(Services with, UniqueFd socket)
        : services(std::move(with)),
          link(services.executor, std::move(socket)),
          desk(services.executor, services.gate),
          answers(services.executor,
                  [this](gate::FromDesk&& message) { pass(std::move(message)); }),
          calls(services.executor, "question of the routerd before") {
        desk.answer_to(answers.address());
    }

    void pass(gate::FromDesk&& message);
    void take(Packet packet);
    void take_arrival(Packet packet) const;
    asio::awaitable<void> answer(json question);
    asio::awaitable<json> value_of(const json& question);

    Services services;
    Link link;
    GateDesk desk;
    Mailbox<gate::FromDesk> answers;
    TaskGroup calls;
};

Predecessor::Predecessor(UniqueFd link) : socket_(std::move(link)) {}

Predecessor::~Predecessor() = default;

Result<Predecessor::Inheritance> Predecessor::take_over(const std::string& state_dir) {
    constexpr auto patience = std::chrono::minutes(2);  // it ends what is ending first
    Packet ready;
    ready.body = {{"is", "prepared"},
                  {"protocol", succession::protocol},
                  {"pid", ::getpid()},
                  {"version", ROUTERD_VERSION},
                  {"state_dir", state_dir}};
    const auto said = Link::send_now(socket_.get(), ready);
    if (!said) {
        return said.error();
    }
    const auto deadline = steady_now() + patience;
    Inheritance inheritance;
    for (;;) {
        auto packet = Link::receive_now(socket_.get(), deadline);
        if (!packet) {
            return packet.error().within("take over from the routerd that runs");
        }
        const auto is = packet->body.value("is", "");
        if (is == "go") {
            return inheritance;
        }
        if (is == "lock" && !packet->files.empty()) {
            inheritance.lock = std::move(packet->files.front());
        } else if (is == "listener" && !packet->files.empty()) {
            HandedOver open;
            open.socket = std::move(packet->files.front());
            open.name = packet->body.value("name", "");
            open.owns_file = packet->body.value("owns_file", false);
            open.address = succession::address_from(packet->body.at("address"));
            open.asked = succession::address_from(packet->body.at("asked"));
            inheritance.listeners.push_back(std::move(open));
        } else if (is == "held") {
            inheritance.held.push_back(succession::held_from(packet->body.at("held")));
        }
    }
}

void Predecessor::refuse(const Error& why) const {
    if (socket_) {
        Packet packet;
        packet.body = {{"is", "failed"}, {"error", succession::to_json(why)}};
        [[maybe_unused]] const auto said = Link::send_now(socket_.get(), packet);
    }
}

asio::awaitable<void> Predecessor::serve(Services services,
                                         std::vector<std::pair<std::uint64_t, Ticket>> inherited) {
    inside_ = std::make_unique<Inside>(std::move(services), std::move(socket_));
    for (auto& [number, ticket] : inherited) {
        auto lease = ticket.take();
        if (lease) {
            inside_->desk.hold(number, std::move(*lease));
        }
    }
    inherited.clear();
    inside_->link.say({{"is", "serving"}, {"pid", ::getpid()}});
    for (;;) {
        auto packet = co_await inside_->link.receive();
        if (!packet) {
            break;
        }
        try {
            inside_->take(std::move(*packet));
        } catch (const json::exception& e) {
            spdlog::error("what the routerd before says: {}", e.what());
        }
    }
    inside_->desk.clear();
    co_await inside_->calls.wait();
    co_await inside_->link.close();
    inside_.reset();
}

std::size_t Predecessor::requests() const noexcept {
    return inside_ ? inside_->desk.size() : 0;
}

asio::awaitable<void> Predecessor::close() {
    if (inside_) {
        co_await inside_->link.close();
    }
}

void Predecessor::Inside::pass(gate::FromDesk&& message) {
    if (const auto* settled = std::get_if<gate::Settled>(&message)) {
        link.say({{"is", "settled"},
                  {"ticket", settled->ticket},
                  {"outcome", succession::to_json(settled->outcome)}});
    } else if (const auto* closing = std::get_if<gate::Closing>(&message)) {
        link.say({{"is", "closing"}, {"instance", closing->instance}});
    }
}

void Predecessor::Inside::take(Packet packet) {
    const auto& body = packet.body;
    const auto is = body.value("is", "");
    if (is == "arrival") {
        take_arrival(std::move(packet));
    } else if (is == "ask") {
        desk.address().send(gate::Ask{body.at("ticket").get<std::uint64_t>(),
                                      succession::demand_from(body.at("demand"))});
    } else if (is == "leave") {
        desk.address().send(
            gate::Leave{body.at("ticket").get<std::uint64_t>(),
                        succession::report_from(body.value("report", json::object()))});
    } else if (is == "call") {
        calls.spawn(answer(body));
    } else if (is == "load") {
        services.load(body.at("model").get<std::string>());
    } else if (is == "unload") {
        services.unload(body.at("model").get<std::string>());
    } else if (is == "record") {
        const auto& record = body.at("record");
        services.account(succession::record_from(record), record.value("route", ""));
    }
}

void Predecessor::Inside::take_arrival(Packet packet) const {
    auto arrival = succession::arrival_from(std::move(packet));
    if (!arrival) {
        return spdlog::error("take a connection of the routerd before: {}",
                             arrival.error().message());
    }
    services.serve(std::move(*arrival));
}

asio::awaitable<void> Predecessor::Inside::answer(json question) {
    auto value = co_await value_of(question);
    link.say({{"is", "result"}, {"call", question.at("call")}, {"value", std::move(value)}});
}

asio::awaitable<json> Predecessor::Inside::value_of(const json& question) {
    const auto what = question.value("what", "");
    if (what == "admit") {
        auto key = question.at("key").get<std::string>();
        const auto admission = co_await services.gate.admit(std::move(key));
        co_return succession::to_json(admission);
    }
    if (what == "least_busy") {
        auto models = question.at("models").get<std::vector<std::string>>();
        const auto best = co_await services.gate.least_busy(std::move(models));
        co_return json(best);
    }
    if (what == "progress") {
        const auto progress = co_await desk.progress(question.at("ticket").get<std::uint64_t>());
        co_return succession::to_json(progress);
    }
    if (what == "end_of") {
        const auto instance = question.at("instance").get<std::uint64_t>();
        const std::chrono::milliseconds grace(question.at("grace").get<std::int64_t>());
        auto end = co_await services.gate.end_of(instance, grace);
        co_return json(std::move(end));
    }
    co_return json();
}

}  // namespace routerd
