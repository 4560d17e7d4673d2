#include "daemon/proxy/peek.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#include "daemon/proxy/json_text.hpp"

namespace routerd {
namespace {

Error not_json(const std::string& why) {
    return Error(Errc::invalid_request, "the request body is not a JSON object: " + why)
        .with_hint("send one like {\"model\": \"NAME\", …} with content-type: application/json");
}

Error not_json(const JsonMembers& members) {
    return not_json("at byte " + std::to_string(members.at()) + ", " + members.fault());
}

// Of a larger body, what is behind the object is left to the server, which may have answered before
// it comes to that.
constexpr std::size_t looked_at_whole = 64U << 10U;

Result<void> note_model(std::string_view value, Peeked& peeked) {
    if (value == "null") {
        peeked.model.reset();
        return {};
    }
    if (value.front() != '"') {
        return Error(Errc::invalid_request, "'model' must be a string").with_param("model");
    }
    auto name = json_text(value.substr(1, value.size() - 2));
    if (!name) {
        return not_json("the value of 'model' is no string");
    }
    peeked.model = std::move(name);
    return {};
}

Result<void> note_member(const JsonMembers::Member& member, Peeked& peeked) {
    if (member.is_called("model")) {
        return note_model(member.value, peeked);
    }
    const bool is_boolean = member.value == "true" || member.value == "false";
    if (is_boolean && member.is_called("stream")) {  // of another type it is the server's affair
        peeked.stream = member.value == "true";
    }
    return {};
}

/// Whether a message, as written, has the role of the user. In a text the quotes are escaped.
bool is_of_user(std::string_view message) {
    return message.find("\"user\"") != std::string_view::npos;
}

/// Of an array, as written: its elements up to the first message of the user's.
std::string_view first_messages(std::string_view array) {
    constexpr unsigned most_before_user = 8;  // system and developer messages, examples
    JsonWalk walk(array);
    walk.skip('[');
    std::string_view found;
    for (unsigned seen = 0; seen < most_before_user; ++seen) {
        const auto message = walk.value();
        if (message.empty()) {
            break;
        }
        const auto* const begin = found.empty() ? message.data() : found.data();
        const auto* const end = message.data() + message.size();
        found = {begin, static_cast<std::size_t>(end - begin)};
        if (is_of_user(message) || !walk.skip(',')) {
            break;
        }
    }
    return found;
}

std::string_view opening_of(std::string_view value) {
    constexpr std::size_t prompt_begin = 512;
    switch (value.front()) {
        case '[':
            return first_messages(value);
        case '"':
            return value.substr(0, prompt_begin);
        default:
            return {};
    }
}

bool is_blank_from(std::string_view text, std::size_t at) {
    return text.find_first_not_of(" \t\r\n", at) == std::string_view::npos;
}

}  // namespace

Result<Peeked> peek_padded(std::string_view body) {
    if (body.empty()) {
        return not_json("it is empty");
    }
    Peeked peeked;
    JsonMembers members(body);
    while (const auto member = members.next()) {
        const auto noted = note_member(*member, peeked);
        if (!noted) {
            return noted.error();
        }
    }
    if (members.fault() != nullptr) {
        return not_json(members);
    }
    if (body.size() <= looked_at_whole && !is_blank_from(body, members.at())) {
        return Error(Errc::invalid_request,
                     "there is something behind the request body's JSON object");
    }
    return peeked;
}

Result<Peeked> peek(std::string& body) {
    body.reserve(body.size() + peek_padding);
    return peek_padded(body);
}

std::string_view opening_padded(std::string_view body) {
    std::string_view opening;
    JsonMembers members(body);
    while (const auto member = members.next()) {
        if (member->is_called("messages") || member->is_called("prompt") ||
            member->is_called("input")) {
            opening = opening_of(member->value);
        }
    }
    return opening;
}

std::uint64_t conversation_of(std::string_view opening) noexcept {
    return opening.empty() ? 0 : std::max<std::uint64_t>(1, std::hash<std::string_view>()(opening));
}

Result<std::string> rewrite_padded(std::string_view body,
                                   const std::map<std::string, std::string>& set,
                                   const std::vector<std::string>& strip) {
    std::string result = "{";
    const auto add = [&result](std::string_view member) {
        if (result.size() > 1) {
            result += ',';
        }
        result += member;
    };
    const auto is_changed = [&](const JsonMembers::Member& member) {
        return std::ranges::any_of(
                   set, [&](const auto& entry) { return member.is_called(entry.first); }) ||
               std::ranges::any_of(strip, [&](const auto& name) { return member.is_called(name); });
    };
    JsonMembers members(body);
    while (const auto member = members.next()) {
        if (!is_changed(*member)) {
            add(member->whole());
        }
    }
    if (members.fault() != nullptr) {
        return not_json(members);
    }
    for (const auto& [name, value] : set) {
        std::string member = "\"";
        add(member.append(name).append("\":").append(value));
    }
    return result + "}";
}

Result<std::string> rewrite_fields(std::string& body, const std::map<std::string, std::string>& set,
                                   const std::vector<std::string>& strip) {
    body.reserve(body.size() + peek_padding);
    return rewrite_padded(body, set, strip);
}

}  // namespace routerd
