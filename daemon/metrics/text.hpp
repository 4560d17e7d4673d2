#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/metrics/registry.hpp"
#include "daemon/metrics/values.hpp"

namespace routerd::metrics {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Writes Prometheus' text format, version 0.0.4. Samples of one metric must come together, after
/// begin(); label values may be anything, bytes that are not UTF-8 become U+FFFD.
class Text {
  public:
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// `# HELP` and `# TYPE`.
    void begin(const Metric& metric);

    void sample(Labels labels, std::uint64_t value);
    void sample(Labels labels, double value);
    void sample(Labels labels, const Histogram::Reading& reading);

    /// A metric of one sample without labels.
    template <class Value>
    void single(const Metric& metric, Value value) {
        begin(metric);
        sample({}, value);
    }

    std::string take() { return std::move(text_); }

  private:
    /// `le`: empty where there is none.
    void name(std::string_view suffix, Labels labels, std::string_view le = {});
    void number(std::uint64_t value);
    void number(double value);

    std::string text_;
    std::string_view name_;  // of the metric that was begun
};

}  // namespace routerd::metrics
