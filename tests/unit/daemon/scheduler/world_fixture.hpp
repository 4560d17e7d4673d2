#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/scheduler/scheduler.hpp"

namespace routerd::scheduler {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers): a test's fixture

/// A scheduler with a clock that only the test moves, and all that it ever decided.
class SchedulerTest : public testing::Test {
  protected:
    SchedulerTest() : scheduler(rules()) {}

    static Rules rules() {
        Rules rules;
        rules.max_wait = 5s;
        rules.min_residency = 0s;
        return rules;
    }

    void models(const std::vector<std::string>& ids) {
        for (const auto& id : ids) {
            known[id].fingerprint = "1";
        }
        take(scheduler.set_models(known, now));
    }

    /// Asks and gives the ticket's number.
    TicketId ask(const std::string& model, Ask details = {}) {
        details.ticket = ++last_ticket;
        details.model = model;
        take(scheduler.on_request(details, now));
        return last_ticket;
    }

    void ready(InstanceId instance) { take(scheduler.on_ready(instance, now)); }
    void release(TicketId ticket) { take(scheduler.on_release(ticket, now)); }
    void exited(InstanceId instance, const std::string& error = "it broke") {
        take(scheduler.on_exited(instance, {error, 0}, now));
    }

    void pass(std::chrono::milliseconds time) {
        now += time;
        take(scheduler.on_time(now));
    }

    /// A model that is ready, and idle.
    InstanceId loaded(const std::string& model) {
        const auto ticket = ask(model);
        const auto instance = scheduler.world().resident_of(model)->id;
        ready(instance);
        release(ticket);
        return instance;
    }

    void take(Actions actions) {
        last.clear();
        for (auto& action : actions) {
            last.push_back(text(action));
            if (const auto* wake = std::get_if<Wake>(&action)) {
                wake_at = wake->at;
                last.pop_back();
            } else {
                all.push_back(action);
            }
        }
    }

    /// "start a", "grant 3 on 1", "refuse 3: queue_full", "drain a: door_closed", "stop a: …".
    static std::string text(const Action& action) {
        if (const auto* start = std::get_if<Start>(&action)) {
            return "start " + start->model;
        }
        if (const auto* grant = std::get_if<Grant>(&action)) {
            return "grant " + std::to_string(grant->ticket);
        }
        if (const auto* refuse = std::get_if<Refuse>(&action)) {
            return "refuse " + std::to_string(refuse->ticket) + ": " +
                   std::string(to_string(refuse->reason.why));
        }
        if (const auto* drain = std::get_if<Drain>(&action)) {
            return "drain " + drain->model + ": " + std::string(to_string(drain->reason.why));
        }
        if (const auto* stop = std::get_if<Stop>(&action)) {
            return "stop " + stop->model + ": " + std::string(to_string(stop->reason.why));
        }
        if (const auto* reopen = std::get_if<Reopen>(&action)) {
            return "reopen " + reopen->model;
        }
        return "wake";
    }

    Scheduler scheduler;
    TimePoint now = TimePoint(1000h);
    std::map<std::string, ModelRules> known;
    std::vector<std::string> last;  ///< what the last event led to
    Actions all;
    TimePoint wake_at = TimePoint::max();
    TicketId last_ticket = 0;
};

}  // namespace routerd::scheduler
