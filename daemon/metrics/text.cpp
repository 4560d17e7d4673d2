#include "daemon/metrics/text.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "common/base/text.hpp"

namespace routerd::metrics {
namespace {

std::string_view word(Type type) noexcept {
    switch (type) {
        case Type::counter:
            return "counter";
        case Type::histogram:
            return "histogram";
        case Type::gauge:
            break;
    }
    return "gauge";
}

std::string decimal(double value) {
    if (!std::isfinite(value)) {
        return std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
    }
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return {digits.data(), end};
}

double seconds(Histogram::Time time) {
    return std::chrono::duration<double>(time).count();
}

void append_escaped(std::string& text, std::string_view value) {
    for (const char c : valid_utf8(value)) {
        if (c == '\n') {
            text += "\\n";
        } else {
            text.append(c == '\\' || c == '"' ? "\\" : "");
            text += c;
        }
    }
}

}  // namespace

void Text::begin(const Metric& metric) {
    name_ = metric.name;
    text_.append("# HELP ").append(metric.name).append(" ").append(metric.help);
    text_.append("\n# TYPE ").append(metric.name).append(" ").append(word(metric.type));
    text_ += '\n';
}

void Text::name(std::string_view suffix, Labels labels, std::string_view le) {
    text_.append(name_).append(suffix);
    char before = '{';
    const auto add = [this, &before](std::string_view label, std::string_view value) {
        text_ += std::exchange(before, ',');
        text_.append(label).append("=\"");
        append_escaped(text_, value);
        text_ += '"';
    };
    for (const auto& [label, value] : labels) {
        add(label, value);
    }
    if (!le.empty()) {
        add("le", le);
    }
    text_.append(before == ',' ? "} " : " ");
}

void Text::number(std::uint64_t value) {
    text_.append(std::to_string(value)) += '\n';
}

void Text::number(double value) {
    text_.append(decimal(value)) += '\n';
}

void Text::sample(Labels labels, std::uint64_t value) {
    name({}, labels);
    number(value);
}

void Text::sample(Labels labels, double value) {
    name({}, labels);
    number(value);
}

void Text::sample(Labels labels, const Histogram::Reading& reading) {
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < Histogram::bounds.size(); ++i) {
        so_far += reading.counts.at(i);
        name("_bucket", labels, decimal(seconds(Histogram::bounds.at(i))));
        number(so_far);
    }
    const auto all = reading.count();
    name("_bucket", labels, "+Inf");
    number(all);
    name("_sum", labels);
    number(static_cast<double>(reading.sum) / 1e6);
    name("_count", labels);
    number(all);
}

}  // namespace routerd::metrics
