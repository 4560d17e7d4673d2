#include "daemon/supervisor/health_book.hpp"

#include "daemon/supervisor/wall_time.hpp"

namespace routerd {

void HealthBook::Health::turn(Phase next, TimePoint now) {
    if (phase == Phase::up) {
        up += now - since;
    } else if (phase == Phase::down) {
        down += now - since;
    }
    phase = next;
    since = now;
}

void HealthBook::started(const std::string& model, TimePoint now) {
    auto& health = all_[model];
    if (health.phase == Phase::out) {
        health.turn(Phase::up, now);
    }
}

void HealthBook::ready(const std::string& model, TimePoint now) {
    auto& health = all_[model];
    health.failures = 0;
    health.turn(Phase::up, now);
}

void HealthBook::ended(const std::string& model, bool failed, TimePoint now) {
    auto& health = all_[model];
    health.failures += failed ? 1U : 0U;
    if (failed || health.phase == Phase::up) {  // one that is down is not well by being given up
        health.turn(failed ? Phase::down : Phase::out, now);
    }
}

void HealthBook::probed(const std::string& model, std::optional<std::chrono::microseconds> took,
                        TimePoint now) {
    auto& health = all_[model];
    health.last_probe = now;
    health.failures = took ? 0 : health.failures + 1;
    if (took) {
        health.answer = health.answer ? (*health.answer * 3 + *took) / 4 : *took;
    }
}

std::vector<HealthReport> HealthBook::reports(TimePoint now) const {
    std::vector<HealthReport> reports;
    for (const auto& [model, known] : all_) {
        auto health = known;
        health.turn(health.phase, now);
        HealthReport report;
        report.model = model;
        const auto all = health.up + health.down;
        report.uptime_percent = all.count() == 0 ? 100.0
                                                 : 100.0 * static_cast<double>(health.up.count()) /
                                                       static_cast<double>(all.count());
        report.consecutive_failures = health.failures;
        report.response_time = health.answer;
        if (health.last_probe) {
            report.last_check = wall_time_of(*health.last_probe);
        }
        reports.push_back(std::move(report));
    }
    return reports;
}

}  // namespace routerd
