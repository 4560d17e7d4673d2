#include "daemon/proxy/json_text.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/byte_block.hpp"

namespace routerd {
namespace {

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

inline std::string_view JsonWalk::take_until(std::size_t end, const char* fault) noexcept {
    if (end == at_ || end == std::string_view::npos) {
        fault_ = fault;
        return {};
    }
    const std::string_view taken(text_.data() + at_, end - at_);
    at_ = end;
    return taken;
}

/// Of the one that begins here. Most are short, and simple.
inline JsonWalk::StringEnd JsonWalk::end_of_string() const noexcept {
    static_assert(json_padding > ByteBlock::size);
    const auto begin = at_ + 1;
    const ByteBlock block(text_.data() + begin);
    const auto quotes = block.equal('"');
    const auto up_to_first = quotes ^ (quotes - 1);
    const auto end = begin + static_cast<std::size_t>(std::countr_zero(quotes)) + 1;
    const bool is_simple =
        quotes != 0 && (block.equal('\\') & up_to_first) == 0 && end <= text_.size();
    return is_simple ? StringEnd{end, true} : StringEnd{end_of_json_string(text_, begin), false};
}

inline std::optional<JsonWalk::String> JsonWalk::take_string() noexcept {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != '"') {
        return std::nullopt;
    }
    const auto found = end_of_string();
    const auto quoted = take_until(found.end, "a string does not end");
    if (quoted.empty()) {
        return std::nullopt;
    }
    const std::string_view written(quoted.data() + 1, quoted.size() - 2);
    return String{written, !found.is_plain && has_escape(written)};
}

inline std::string_view JsonWalk::take_value() noexcept {
    skip_blanks();
    const char first = at_ < text_.size() ? text_[at_] : '\0';
    if (first == '"') {
        return take_until(end_of_string().end, "a string does not end");
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

std::string_view JsonWalk::value() noexcept {
    return take_value();
}

bool JsonMembers::Member::means(std::string_view name) const {
    return json_text(key) == std::optional(name);
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
    const auto key = walk_.take_string();
    if (!key) {
        return fail_at_key();
    }
    if (!walk_.skip(':')) {
        return fail("':' is missing");
    }
    const auto value = walk_.take_value();
    if (value.empty()) {
        return fail(walk_.fault());
    }
    return Member{key->written, value, key->has_escape};
}

/// What is there in place of a key.
std::optional<JsonMembers::Member> JsonMembers::fail_at_key() noexcept {
    return fail(walk_.value().empty() ? walk_.fault() : "a key is missing before this");
}

}  // namespace routerd
