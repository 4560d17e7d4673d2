#include "daemon/proxy/json_text.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace routerd {
namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// What numbers, true, false and null are made of.
bool is_of_word(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '+' ||
           c == 'E';
}

bool has_escape(std::string_view written) noexcept {
    return written.find('\\') != std::string_view::npos;
}

/// Means what is written, without a doubt.
bool is_plain(std::string_view written) noexcept {
    const auto is_odd = [](char c) { return c == '\\' || static_cast<signed char>(c) < ' '; };
    return std::ranges::none_of(written, is_odd);
}

}  // namespace

std::optional<std::string> json_text(std::string_view written) {
    if (is_plain(written)) {
        return std::string(written);
    }
    std::string quoted;
    quoted.reserve(written.size() + 2);
    quoted.append("\"").append(written).append("\"");
    const auto value = nlohmann::json::parse(quoted, nullptr, false);
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

inline void JsonWalk::skip_blanks() noexcept {
    while (at_ < text_.size() && is_blank(text_[at_])) {
        ++at_;
    }
}

inline std::string_view JsonWalk::take_until(std::size_t end, const char* fault) noexcept {
    if (end == at_ || end == std::string_view::npos) {
        fault_ = fault;
        return {};
    }
    const std::string_view taken(text_.data() + at_, end - at_);
    at_ = end;
    return taken;
}

bool JsonWalk::skip(char wanted) noexcept {
    skip_blanks();
    const bool is_next = at_ < text_.size() && text_[at_] == wanted;
    at_ += is_next ? 1U : 0U;
    return is_next;
}

std::string_view JsonWalk::value() noexcept {
    skip_blanks();
    const char first = at_ < text_.size() ? text_[at_] : '\0';
    if (first == '"') {
        return take_until(end_of_json_string(text_, at_ + 1), "a string does not end");
    }
    if (first == '{' || first == '[') {
        return take_until(end_of_json_nest(text_, at_ + 1), "an object or array does not end");
    }
    auto end = at_;
    while (end < text_.size() && is_of_word(text_[end])) {
        ++end;
    }
    return take_until(end, "a value is missing");
}

bool JsonMembers::Member::is_called(std::string_view name) const {
    return key == name || (has_escape(key) && json_text(key) == std::optional(name));
}

std::string_view JsonMembers::Member::whole() const noexcept {
    const auto* const begin = key.data() - 1;
    return {begin, static_cast<std::size_t>(value.data() + value.size() - begin)};
}

std::optional<JsonMembers::Member> JsonMembers::fail(const char* why) noexcept {
    fault_ = why;
    return std::nullopt;
}

std::optional<JsonMembers::Member> JsonMembers::next() noexcept {
    const bool is_first = !std::exchange(begun_, true);
    if (is_first && !walk_.skip('{')) {
        return fail("'{' is missing");
    }
    if (walk_.skip('}')) {
        return std::nullopt;
    }
    if (!is_first && !walk_.skip(',')) {
        return fail("',' or '}' is missing");
    }
    const auto quoted = walk_.value();
    if (quoted.empty()) {
        return fail(walk_.fault());
    }
    if (quoted.front() != '"') {
        return fail("a key is missing before this");
    }
    if (!walk_.skip(':')) {
        return fail("':' is missing");
    }
    const auto value = walk_.value();
    if (value.empty()) {
        return fail(walk_.fault());
    }
    return Member{quoted.substr(1, quoted.size() - 2), value};
}

}  // namespace routerd
