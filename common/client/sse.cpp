#include "common/client/sse.hpp"

#include <cstddef>

namespace routerd::client {
namespace {

constexpr std::size_t max_event = 16U << 20U;

}  // namespace

/// One whole line without its end; false when the sink has had enough.
bool SseParser::take_line(std::string_view line, const Sink& sink) {
    if (line.empty()) {
        if (!has_data_) {
            event_.name.clear();
            return true;
        }
        SseEvent event = event_;
        if (event.name.empty()) {
            event.name = "message";
        }
        event_.name.clear();
        event_.data.clear();
        has_data_ = false;
        return sink(event);
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (colon == 0) {
        const SseEvent comment{.name = {}, .data = {}, .id = {}, .comment = std::string(value)};
        return value.empty() || sink(comment);
    }
    if (field == "event") {
        event_.name = value;
    } else if (field == "id") {
        event_.id = value;
    } else if (field == "data") {
        if (has_data_) {
            event_.data += '\n';
        }
        event_.data += value;
        has_data_ = true;
    }
    return true;
}

Result<bool> SseParser::push(std::string_view bytes, const Sink& sink) {
    while (!bytes.empty()) {
        if (after_cr_ && bytes.front() == '\n') {
            bytes.remove_prefix(1);
        }
        after_cr_ = false;
        const auto end = bytes.find_first_of("\r\n");
        line_ += bytes.substr(0, end);
        if (line_.size() + event_.data.size() > max_event) {
            return Error(Errc::upstream_error, "an event of the stream is larger than 16 MiB");
        }
        if (end == std::string_view::npos) {
            return true;
        }
        after_cr_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        const bool more = take_line(line_, sink);
        line_.clear();
        if (!more) {
            return false;
        }
    }
    return true;
}

}  // namespace routerd::client
