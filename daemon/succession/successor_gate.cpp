#include "daemon/succession/successor_gate.hpp"

#include <utility>

#include "daemon/succession/codec.hpp"

namespace routerd {
namespace {

using nlohmann::json;

Error nobody_there() {
    return Error(Errc::shutting_down, "this routerd has been replaced")
        .with_hint("ask again, on a new connection");
}

}  // namespace

void SuccessorGate::take_over(Legacy legacy) {
    next_ticket_ = legacy.next_ticket;
    for (auto& held : legacy.held) {
        held_.emplace(held.ticket, std::move(held));
    }
    for (auto& waiting : legacy.waiting) {
        waiting_.emplace(waiting.ticket, Waiting{std::move(waiting.demand), waiting.state});
    }
    loads_ = std::move(legacy.loads);
    unloads_ = std::move(legacy.unloads);
}

std::vector<json> SuccessorGate::held() const {
    std::vector<json> packets;
    packets.reserve(held_.size());
    for (const auto& [ticket, held] : held_) {
        packets.push_back({{"is", "held"}, {"held", succession::to_json(held)}});
    }
    return packets;
}

void SuccessorGate::attach(Link& link) {
    link_ = &link;
    for (const auto& model : loads_) {
        link_->say({{"is", "load"}, {"model", model}});
    }
    for (const auto& model : unloads_) {
        link_->say({{"is", "unload"}, {"model", model}});
    }
    for (const auto& [ticket, waiting] : waiting_) {
        ask(ticket, waiting.demand);
    }
    for (const auto& [number, call] : calls_) {
        link_->say(call->question);
    }
}

void SuccessorGate::ask(std::uint64_t ticket, const Demand& demand) {
    if (link_ != nullptr) {
        link_->say({{"is", "ask"}, {"ticket", ticket}, {"demand", succession::to_json(demand)}});
    }
}

bool SuccessorGate::take(const json& packet) {
    const auto is = packet.value("is", "");
    if (is == "settled") {
        settle(packet);
    } else if (is == "closing") {
        for (const auto& callback : on_closing_) {
            callback(packet.at("instance").get<std::uint64_t>());
        }
    } else if (is == "result") {
        const auto call = calls_.find(packet.at("call").get<std::uint64_t>());
        if (call != calls_.end()) {
            call->second->answer = packet.at("value");
            call->second->done.notify();
        }
    } else {
        return false;
    }
    return true;
}

void SuccessorGate::settle(const json& packet) {
    const auto ticket = packet.at("ticket").get<std::uint64_t>();
    auto waiting = waiting_.extract(ticket);
    if (waiting.empty()) {
        return;  // it has left, and the successor hears of that
    }
    auto outcome = succession::outcome_from(packet.at("outcome"));
    if (outcome) {
        const auto& demand = waiting.mapped().demand;
        held_[ticket] = {ticket, outcome->instance, demand.key, demand.needs_slot,
                         demand.is_limited};
    }
    waiting.mapped().state->settle(std::move(outcome));
}

void SuccessorGate::detach() {
    link_ = nullptr;
    lost_ = true;
    for (auto& [ticket, waiting] : std::exchange(waiting_, {})) {
        waiting.state->settle(nobody_there());
    }
    for (auto& [number, call] : calls_) {
        call->done.notify();
    }
}

Ticket SuccessorGate::request(const Demand& demand) {
    auto state = std::make_unique<Ticket::State>(*this, next_ticket_++, executor_);
    if (lost_) {
        state->settle(nobody_there());
    } else {
        waiting_.emplace(state->id, Waiting{demand, state.get()});
        ask(state->id, demand);
    }
    return Ticket(std::move(state));
}

void SuccessorGate::leave(std::uint64_t ticket) {
    waiting_.erase(ticket);
    if (link_ != nullptr) {
        link_->say({{"is", "leave"}, {"ticket", ticket}});
    }
}

void SuccessorGate::release(std::uint64_t ticket, std::uint64_t /*instance*/,
                            const LeaseReport& report) {
    held_.erase(ticket);
    if (link_ != nullptr) {
        link_->say({{"is", "leave"}, {"ticket", ticket}, {"report", succession::to_json(report)}});
    }
}

void SuccessorGate::on_closing_instance(std::function<void(std::uint64_t)> callback) {
    on_closing_.push_back(std::move(callback));
}

asio::awaitable<json> SuccessorGate::call(json question) {
    Call call(executor_);
    const auto number = next_call_++;
    question["is"] = "call";
    question["call"] = number;
    call.question = std::move(question);
    calls_.emplace(number, &call);
    if (link_ != nullptr) {
        link_->say(call.question);
    }
    while (!call.answer && !lost_) {
        co_await call.done.wait();
    }
    calls_.erase(number);
    co_return call.answer.value_or(json());
}

asio::awaitable<Admission> SuccessorGate::admit(std::string key) {
    json question{{"what", "admit"}, {"key", std::move(key)}};
    const auto answer = co_await call(std::move(question));
    co_return answer.is_null() ? Admission() : succession::admission_from(answer);
}

asio::awaitable<std::size_t> SuccessorGate::least_busy(std::vector<std::string> models) {
    const auto count = models.size();
    json question{{"what", "least_busy"}, {"models", std::move(models)}};
    const auto answer = co_await call(std::move(question));
    const auto best = answer.is_null() ? 0 : answer.get<std::size_t>();
    co_return best < count ? best : 0;
}

asio::awaitable<Ticket::Progress> SuccessorGate::progress(std::uint64_t ticket) {
    json question{{"what", "progress"}, {"ticket", ticket}};
    const auto answer = co_await call(std::move(question));
    co_return answer.is_null() ? Ticket::Progress() : succession::progress_from(answer);
}

asio::awaitable<std::string> SuccessorGate::end_of(std::uint64_t instance,
                                                   std::chrono::milliseconds grace) {
    json question{{"what", "end_of"}, {"instance", instance}, {"grace", grace.count()}};
    const auto answer = co_await call(std::move(question));
    co_return answer.is_null() ? std::string() : answer.get<std::string>();
}

}  // namespace routerd
