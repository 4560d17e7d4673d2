#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "daemon/supervisor/reports.hpp"

namespace routerd {

/// How models have been since the daemon's start. A value that is told things; core loop.
///
/// A model is up from its start until it fails, and down from then until a server of it is ready
/// again. A time in which it was not wanted (unloaded, not asked for yet) counts as neither.
class HealthBook {
  public:
    void started(const std::string& model, TimePoint now);
    void ready(const std::string& model, TimePoint now);

    /// It ended. `failed`: nobody wished that.
    void ended(const std::string& model, bool failed, TimePoint now);

    /// A probe of a ready server was answered after `took`, or was not.
    void probed(const std::string& model, std::optional<std::chrono::microseconds> took,
                TimePoint now);

    /// By model id; the state of each is left as off.
    std::vector<HealthReport> reports(TimePoint now) const;

  private:
    enum class Phase { out, up, down };
    struct Health {
        Phase phase = Phase::out;
        TimePoint since;
        TimePoint::duration up{0};
        TimePoint::duration down{0};
        unsigned failures = 0;                            // in a row
        std::optional<std::chrono::microseconds> answer;  // mean, the new ones count more
        std::optional<TimePoint> last_probe;

        void turn(Phase next, TimePoint now);
    };

    std::map<std::string, Health> all_;
};

}  // namespace routerd
