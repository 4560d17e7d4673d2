#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/http/head.hpp"
#include "tests/fuzz/oracle.hpp"

/// Heads read a second time in the plainest way that is, to compare with: lines are cut apart and
/// copied, and characters are looked up in lists. It knows no order of checks, so it says only
/// whether a head is good and what it means, not what to answer a bad one with.
namespace routerd::fuzz {

inline constexpr http::HeadLimits head_limits{.line = 256, .head = 1024, .fields = 20};

struct ReferenceHead {
    std::vector<std::string> first_line;  ///< cut at its spaces
    std::vector<std::pair<std::string, std::string>> fields;
    std::optional<std::uint64_t> length;
    bool chunked = false;
    bool close = false;
    bool keep_alive = false;
    std::vector<std::string> hosts;
    bool expects = false;
};

inline const std::string digits = "0123456789";
inline const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

inline bool only(std::string_view text, const std::string& allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
}

inline bool is_reference_token(std::string_view text) {
    return !text.empty() && only(text, letters + digits + "!#$%&'*+-.^_`|~");
}

inline bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 32 && c != '\t') || byte == 127;
    });
}

inline std::vector<std::string> cut(std::string_view text, std::string_view at) {
    std::vector<std::string> parts;
    for (;;) {
        const auto found = text.find(at);
        parts.emplace_back(text.substr(0, found));
        if (found == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(found + at.size());
    }
}

inline std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return result;
}

inline std::string without_blanks(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t");
    return begin == std::string::npos
               ? std::string()
               : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// What one field says of framing and connection; false: it must not be.
inline bool note_reference_field(ReferenceHead& head, const std::string& name,
                                 const std::string& value) {
    if (name == "host") {
        head.hosts.push_back(value);
    } else if (name == "connection") {
        for (const auto& option : cut(lower(value), ",")) {
            head.close = head.close || without_blanks(option) == "close";
            head.keep_alive = head.keep_alive || without_blanks(option) == "keep-alive";
        }
    } else if (name == "expect") {
        head.expects = true;
        return lower(value) == "100-continue";
    } else if (name == "transfer-encoding") {
        return lower(value) == "chunked" && !std::exchange(head.chunked, true);
    } else if (name == "content-length") {
        const auto number = value.substr(std::min(value.find_first_not_of('0'), value.size()));
        if (value.empty() || !only(value, digits) || number.size() > 19 || head.length) {
            return false;
        }
        head.length = number.empty() ? 0 : std::strtoull(number.c_str(), nullptr, 10);
        return *head.length <= 1ULL << 62U;
    }
    return true;
}

/// `bytes`: a head with its empty line. nullopt: bad.
inline std::optional<ReferenceHead> read_reference_head(std::string_view bytes) {
    auto lines = cut(bytes, "\r\n");
    require(lines.size() >= 3 && lines.back().empty() && lines[lines.size() - 2].empty(),
            "a head ends with an empty line");
    lines.resize(lines.size() - 2);
    ReferenceHead head;
    head.first_line = cut(lines.front(), " ");
    lines.erase(lines.begin());
    if (lines.size() > head_limits.fields) {
        return std::nullopt;
    }
    for (const auto& line : lines) {
        const auto colon = line.find(':');
        if (colon == std::string::npos || !is_reference_token(line.substr(0, colon))) {
            return std::nullopt;
        }
        const auto value = without_blanks(line.substr(colon + 1));
        if (has_control(value) ||
            !note_reference_field(head, lower(line.substr(0, colon)), value)) {
            return std::nullopt;
        }
        head.fields.emplace_back(line.substr(0, colon), value);
    }
    if (head.chunked && head.length) {
        return std::nullopt;
    }
    return head;
}

/// The end of the head that `bytes` begin with, told in pieces.
inline http::ParseResult scan_in(std::string_view bytes, Pieces pieces) {
    http::HeadScanner scanner;
    http::ParseResult result;
    std::size_t first_line = 0;
    for (std::size_t known = 0;
         result.state == http::ParseResult::State::incomplete && known < bytes.size();) {
        known += pieces.next(bytes.size() - known);
        result = scanner.scan(bytes.substr(0, known), head_limits);
        first_line = scanner.first_line();
    }
    require(first_line == 0 || bytes.substr(0, first_line + 2).find('\r') == first_line,
            "the first line ends where it ends");
    return result;
}

/// Scans in several ways, which must agree. Gives the head with its empty line, where there is one.
inline std::optional<std::string_view> find_head(std::string_view bytes) {
    using State = http::ParseResult::State;
    const auto whole = scan_in(bytes, Pieces::whole());
    const auto seed = number_of(bytes);
    for (const auto& pieces : {Pieces::of(1), Pieces::random(seed, 7), Pieces::random(seed, 300)}) {
        const auto other = scan_in(bytes, pieces);
        require(other.state == whole.state, "a head ends where it ends, however it comes");
        require(other.consumed == whole.consumed, "a head is as long, however it comes");
        require(whole.state != State::bad || other.status == whole.status,
                "a head is as bad, however it comes");
    }
    if (whole.state != State::complete) {
        require(whole.state == State::incomplete || !whole.reason.empty(), "a fault has a reason");
        require(whole.state == State::bad || bytes.size() <= head_limits.head, "heads are bounded");
        return std::nullopt;
    }
    require(whole.consumed <= std::min(bytes.size(), head_limits.head), "heads are bounded");
    return bytes.substr(0, whole.consumed);
}

/// What both kinds of heads must fulfil once they are accepted.
template <class Head>
void check_accepted(const Head& head, const ReferenceHead& reference, std::string_view bytes) {
    require(head.fields.size() == reference.fields.size(), "all fields are there");
    for (std::size_t i = 0; i < head.fields.size(); ++i) {
        const auto& field = head.fields[i];
        require(lies_in(field.name, bytes) && lies_in(field.value, bytes),
                "fields lie in the head");
        require(field.name == reference.fields[i].first, "names are as sent");
        require(field.value == reference.fields[i].second, "values are as sent");
        require(!has_control(field.name) && !has_control(field.value), "no CR, LF or NUL");
        require(head.find(lower(field.name)).has_value(), "names have no case");
    }
    require((head.body == http::BodyKind::chunked) <= (head.content_length == 0), "one framing");
    require((head.body == http::BodyKind::length) <= (head.content_length > 0), "a length");
}

template <class Head>
std::string written(const std::string& first_line, const Head& head) {
    std::string text = first_line + "\r\n";
    for (const auto& field : head.fields) {
        text += std::string(field.name) + ": " + std::string(field.value) + "\r\n";
    }
    return text + "\r\n";
}

/// `again` is what `head` reads as once it was written anew, as it is sent on.
template <class Head>
void check_same(const Head& head, const Head& again) {
    require(head.body == again.body && head.content_length == again.content_length, "same framing");
    require(head.keep_alive == again.keep_alive, "same life");
    require(head.minor_version == again.minor_version, "same version");
    const auto same = [](const http::Field& a, const http::Field& b) {
        return a.name == b.name && a.value == b.value;
    };
    require(std::equal(head.fields.begin(), head.fields.end(), again.fields.begin(),
                       again.fields.end(), same),
            "same fields");
}

}  // namespace routerd::fuzz
