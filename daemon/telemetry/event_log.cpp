#include "daemon/telemetry/event_log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace routerd {
namespace {

/// The daemon went on, but somebody may want to act.
bool is_bad_news(std::string_view type) {
    constexpr std::array<std::string_view, 6> words{".failed",  "_failed", ".crashed",
                                                    ".warning", ".broken", ".quarantined"};
    return std::any_of(words.begin(), words.end(),
                       [type](std::string_view word) { return type.ends_with(word); });
}

std::string line_of(const api::Event& event) {
    std::string line = event.type;
    if (!event.model.empty()) {
        line += " " + event.model;
    }
    line += ": " + event.message;
    for (const auto& [name, value] : event.details) {
        line += ", " + name + "=" + value;
    }
    return escaped(line);
}

}  // namespace

void EventLog::append(api::Event event) {
    event.id = ++last_id_;
    event.time = std::chrono::system_clock::now();
    spdlog::log(is_bad_news(event.type) ? spdlog::level::warn : spdlog::level::info, "{}",
                line_of(event));
    events_.push_back(std::move(event));
    if (events_.size() > kept) {
        events_.pop_front();
    }
    const api::Event told = events_.back();  // a callback that ends a session may do anything
    told_.tell(told);
}

}  // namespace routerd
