#include "daemon/supervisor/decision_log.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/units.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

constexpr std::size_t most_of_a_model = 256;
constexpr std::size_t most_models = 4096;
constexpr std::size_t most_requests = 4096;
constexpr std::size_t most_told = 256;

using ByNumber = std::map<std::uint64_t, Decision>;

std::string name_of(const DecisionLog::Asker& asker) {
    return asker.request.empty() ? std::string("a load") : "request '" + asker.request + "'";
}

Decision begin_decision(const DecisionLog::Stamp& stamp, const DecisionLog::Asker& asker,
                        const char* what) {
    Decision decision;
    decision.number = stamp.number;
    decision.time = stamp.time;
    decision.what = what;
    decision.model = asker.model;
    decision.request = asker.request;
    return decision;
}

std::chrono::milliseconds time_between(const DecisionLog::Stamp& from,
                                       const DecisionLog::Stamp& to) {
    const auto time = std::max(to.time - from.time, WallTime::duration(0));
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

void keep_newest(ByNumber& found) {
    while (found.size() > most_told) {
        found.erase(found.begin());
    }
}

std::vector<Decision> in_order(ByNumber found) {
    std::vector<Decision> decisions;
    for (auto& [number, decision] : found) {
        decisions.push_back(std::move(decision));
    }
    return decisions;
}

}  // namespace

DecisionLog::Stamp DecisionLog::stamp() {
    return {++last_number_, turn_wall_now()};
}

DecisionLog::Decisions& DecisionLog::of_model(const std::string& model) {
    const auto known = models_.find(model);
    if (known != models_.end()) {
        return known->second;
    }
    if (models_.size() >= most_models) {
        models_.erase(std::ranges::min_element(
            models_, {}, [](const auto& entry) { return entry.second.back().number; }));
    }
    return models_[model];
}

void DecisionLog::add(const api::Event& event) {
    const auto at = stamp();
    Decision decision;
    decision.number = at.number;
    decision.time = at.time;
    decision.what = event.type;
    decision.model = event.model;
    decision.message = event.message;
    decision.details = event.details;
    const auto keep = [this](const std::string& model, Decision kept) {
        auto& decisions = of_model(model);
        decisions.push_back(std::move(kept));
        if (decisions.size() > most_of_a_model) {
            decisions.pop_front();
        }
    };
    for (const auto& [name, value] : event.details) {
        if (name == "other" && value != event.model) {
            keep(value, decision);
        }
    }
    keep(event.model, std::move(decision));
}

void DecisionLog::passed(std::string_view request, std::string_view model, Stamp came,
                         std::uint64_t instance) {
    if (passed_.size() < most_requests) {
        passed_.push_back({{std::string(request), std::string(model), came}, instance});
        return;
    }
    auto& oldest = passed_[next_passed_];
    oldest.asker.request = request;  // into the memory of its text
    oldest.asker.model = model;
    oldest.asker.came = came;
    oldest.instance = instance;
    next_passed_ = (next_passed_ + 1) % most_requests;
}

void DecisionLog::waits(scheduler::TicketId ticket, const Asker& asker, Wait wait) {
    auto& waited = waited_[ticket];
    waited.asker = asker;
    waited.wait = std::move(wait);
}

DecisionLog::Waited* DecisionLog::open(scheduler::TicketId ticket) {
    const auto waited = waited_.find(ticket);
    return waited == waited_.end() || waited->second.end != Waited::End::none ? nullptr
                                                                              : &waited->second;
}

void DecisionLog::close(scheduler::TicketId ticket, Waited& waited, Waited::End end) {
    waited.end = end;
    waited.ended = waited.wait ? stamp() : waited.asker.came;
    closed_.push_back(ticket);
    if (closed_.size() > most_requests) {
        waited_.erase(closed_.front());
        closed_.pop_front();
    }
}

void DecisionLog::granted(const scheduler::Grant& grant) {
    if (auto* waited = open(grant.ticket)) {
        waited->instance = grant.instance;
        waited->queued = grant.queued;
        waited->loaded = grant.loaded;
        close(grant.ticket, *waited, Waited::End::granted);
    }
}

void DecisionLog::left(scheduler::TicketId ticket) {
    if (auto* waited = open(ticket)) {
        close(ticket, *waited, Waited::End::left);
    }
}

void DecisionLog::cancelled(scheduler::TicketId ticket) {
    if (auto* waited = open(ticket)) {
        close(ticket, *waited, Waited::End::cancelled);
    }
}

void DecisionLog::refused(scheduler::TicketId ticket, const Asker& asker,
                          scheduler::Reason reason) {
    auto& waited = waited_[ticket];
    waited.asker = asker;
    waited.reason = std::move(reason);
    close(ticket, waited, Waited::End::refused);
}

Decision DecisionLog::decision_of(const Passed& passed) {
    auto decision = begin_decision(passed.asker.came, passed.asker, "request.granted");
    const auto instance = std::to_string(passed.instance);
    decision.message = name_of(passed.asker) + " is granted at once: '" + passed.asker.model +
                       "' has room for it (instance " + instance + ")";
    decision.details = {{"instance", instance}};
    return decision;
}

void DecisionLog::add_decisions(const Waited& waited, ByNumber& found) {
    const auto& asker = waited.asker;
    if (waited.wait) {
        auto decision = begin_decision(asker.came, asker, "request.waits");
        decision.message =
            name_of(asker) + " waits for '" + asker.model + "': " + describe(*waited.wait);
        decision.details = details(*waited.wait);
        found.emplace(decision.number, std::move(decision));
    }
    const auto time = time_between(asker.came, waited.ended);
    const auto end = [&](const char* what, const std::string& message) {
        auto decision = begin_decision(waited.ended, asker, what);
        decision.message = name_of(asker) + message;
        decision.details.emplace_back("time_ms", std::to_string(time.count()));
        return decision;
    };
    Decision decision;
    switch (waited.end) {
        case Waited::End::none:
            return;
        case Waited::End::granted:
            decision = end("request.granted",
                           " is granted after " + format_duration(waited.queued) +
                               (waited.loaded.count() == 0
                                    ? std::string()
                                    : ", " + format_duration(waited.loaded) + " of it loading"));
            decision.details = {{"instance", std::to_string(waited.instance)},
                                {"queued_ms", std::to_string(waited.queued.count())},
                                {"loaded_ms", std::to_string(waited.loaded.count())}};
            break;
        case Waited::End::refused:
            decision = end("request.refused", " is refused: " + scheduler::describe(waited.reason));
            decision.details = scheduler::details(waited.reason);
            break;
        case Waited::End::left:
            decision =
                end("request.left", " is gone: its client left after " + format_duration(time));
            break;
        case Waited::End::cancelled:
            decision = end("request.cancelled",
                           " is cancelled by a command after " + format_duration(time));
            break;
    }
    found.emplace(decision.number, std::move(decision));
}

std::vector<Decision> DecisionLog::about_model(const std::string& model) const {
    ByNumber found;
    for (const auto& [ticket, waited] : waited_) {
        if (waited.asker.model == model) {
            add_decisions(waited, found);
        }
    }
    keep_newest(found);  // many requests must not hide what was decided about the model
    const auto known = models_.find(model);
    if (known != models_.end()) {
        for (const auto& decision : known->second) {
            found.emplace(decision.number, decision);
        }
    }
    return in_order(std::move(found));
}

void DecisionLog::add_meanwhile(const Waited& waited, ByNumber& found) const {
    const auto known = models_.find(waited.asker.model);
    if (known == models_.end()) {
        return;
    }
    const auto last = waited.end == Waited::End::none ? std::numeric_limits<std::uint64_t>::max()
                                                      : waited.ended.number;
    for (const auto& decision : known->second) {
        if (decision.number > waited.asker.came.number && decision.number < last) {
            found.emplace(decision.number, decision);
        }
    }
}

std::vector<Decision> DecisionLog::about_request(const std::string& request) const {
    ByNumber found;
    if (request.empty()) {
        return {};  // loads have no name
    }
    for (const auto& passed : passed_) {
        if (passed.asker.request == request) {
            auto decision = decision_of(passed);
            found.emplace(decision.number, std::move(decision));
        }
    }
    for (const auto& [ticket, waited] : waited_) {
        if (waited.asker.request == request) {
            add_decisions(waited, found);
            add_meanwhile(waited, found);
        }
    }
    keep_newest(found);
    return in_order(std::move(found));
}

}  // namespace routerd
