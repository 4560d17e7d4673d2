#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "common/api/event.hpp"
#include "daemon/metrics/values.hpp"
#include "daemon/telemetry/event_log.hpp"
#include "daemon/telemetry/subscription.hpp"

namespace routerd {

namespace metrics {
class Text;
}

/// Starts, loads, crashes and evictions of models, counted from the events. Core loop only.
class ModelCounts {
  public:
    static constexpr std::size_t most_models = 1024;  ///< what comes beyond is counted together

    explicit ModelCounts(EventLog& events);
    ModelCounts(const ModelCounts&) = delete;
    ModelCounts& operator=(const ModelCounts&) = delete;

    void write(metrics::Text& text) const;

  private:
    struct Counts {
        std::uint64_t starts = 0;
        std::uint64_t restarts = 0;
        std::uint64_t load_failures = 0;
        std::uint64_t crashes = 0;
        std::uint64_t evictions = 0;
        metrics::Histogram load_time;
        bool failed = false;  ///< the last server, so that the next start is one again
    };

    void count(const api::Event& event);
    Counts& of(const std::string& model);

    std::map<std::string, Counts> models_;
    Subscription subscription_;
};

}  // namespace routerd
