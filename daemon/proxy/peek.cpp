#include "daemon/proxy/peek.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#define SIMDJSON_EXCEPTIONS 0  // a result that is used without a look at its error does not compile
#include <simdjson.h>

namespace routerd {
namespace {

namespace od = simdjson::ondemand;

Error not_json(simdjson::error_code code) {
    const std::string why = code == simdjson::EMPTY ? "it is empty" : simdjson::error_message(code);
    return Error(Errc::invalid_request, "the request body is not a JSON object: " + why)
        .with_hint("send one like {\"model\": \"NAME\", …} with content-type: application/json");
}

od::parser& parser() {
    static thread_local od::parser shared;  // keeps its buffers from request to request
    return shared;
}

static_assert(peek_padding >= simdjson::SIMDJSON_PADDING);

simdjson::padded_string_view padded(std::string_view body) {
    return simdjson::padded_string_view(body.data(), body.size(), body.size() + peek_padding);
}

/// The object that `body` is; it lives in `document`.
simdjson::error_code open(std::string_view body, od::document& document, od::object& object) {
    const auto error = parser().iterate(padded(body)).get(document);
    return error == simdjson::SUCCESS ? document.get_object().get(object) : error;
}

// Of a larger body, what is behind the object is left to the server, which may have answered before
// it comes to that.
constexpr std::size_t looked_at_whole = 64U << 10U;

/// The first JSON object of a body behind which there is something else: its length, or 0 where
/// there is no whole one.
std::size_t length_of_object(std::string_view body) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < body.size(); ++i) {
        const char c = body[i];
        if (in_string) {
            i += c == '\\' ? 1U : 0U;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) {
            return i + 1;
        }
    }
    return 0;
}

simdjson::error_code note_model(od::value value, Peeked& peeked) {
    bool is_null = false;
    auto error = value.is_null().get(is_null);
    if (error != simdjson::SUCCESS) {
        return error;
    }
    if (is_null) {
        peeked.model.reset();
        return simdjson::SUCCESS;
    }
    std::string_view name;
    error = value.get_string().get(name);
    if (error == simdjson::SUCCESS) {
        peeked.model = std::string(name);
    }
    return error;
}

/// Whether a message, as written, has the role of the user. In a text the quotes are escaped.
bool is_of_user(std::string_view message) {
    return message.find("\"user\"") != std::string_view::npos;
}

simdjson::error_code note_messages(od::array messages, std::string_view& opening) {
    constexpr unsigned most_before_user = 8;  // system and developer messages, examples
    unsigned seen = 0;
    for (auto element : messages) {
        od::value message;
        std::string_view text;
        auto error = std::move(element).get(message);
        if (error == simdjson::SUCCESS) {
            error = simdjson::to_json_string(message).get(text);
        }
        if (error != simdjson::SUCCESS) {
            return error;
        }
        const auto* begin = opening.empty() ? text.data() : opening.data();
        const auto* end = text.data() + text.size();
        opening = std::string_view(begin, static_cast<std::size_t>(end - begin));
        if (is_of_user(text) || ++seen == most_before_user) {
            break;
        }
    }
    return simdjson::SUCCESS;
}

simdjson::error_code note_opening(od::value value, std::string_view& opening) {
    constexpr std::size_t prompt_begin = 512;
    opening = {};
    od::json_type type{};
    auto error = value.type().get(type);
    if (error != simdjson::SUCCESS) {
        return error;
    }
    if (type == od::json_type::array) {
        od::array messages;
        error = value.get_array().get(messages);
        return error == simdjson::SUCCESS ? note_messages(messages, opening) : error;
    }
    if (type == od::json_type::string) {
        error = simdjson::to_json_string(value).get(opening);
        opening = opening.substr(0, prompt_begin);
    }
    return error;
}

simdjson::error_code note_field(od::field field, Peeked& peeked) {
    std::string_view key;
    auto error = field.unescaped_key().get(key);
    if (error != simdjson::SUCCESS) {
        return error;
    }
    if (key == "model") {
        return note_model(field.value(), peeked);
    }
    if (key == "stream") {
        od::json_type type{};
        error = field.value().type().get(type);
        if (error == simdjson::SUCCESS && type == od::json_type::boolean) {
            return field.value().get_bool().get(peeked.stream);
        }
    }
    return error;
}

/// Where one top-level member lies, from its key's quote to the end of its value.
struct Member {
    std::string key;
    std::size_t begin;
    std::size_t end;
};

Result<std::vector<Member>> members(std::string_view body) {
    std::vector<Member> found;
    od::document document;
    od::object object;
    auto error = open(body, document, object);
    if (error != simdjson::SUCCESS) {
        return not_json(error);
    }
    for (auto entry : object) {
        od::field field;
        std::string_view raw;
        error = std::move(entry).get(field);
        if (error != simdjson::SUCCESS) {
            return not_json(error);
        }
        const auto* key_at = field.key().raw();
        const auto begin = static_cast<std::size_t>(key_at - body.data()) - 1;
        std::string_view key;
        error = field.unescaped_key().get(key);
        std::string name(key);
        if (error == simdjson::SUCCESS) {
            error = simdjson::to_json_string(field.value()).get(raw);
        }
        if (error != simdjson::SUCCESS) {
            return not_json(error);
        }
        const auto end = static_cast<std::size_t>(raw.data() - body.data()) + raw.size();
        found.push_back({std::move(name), begin, end});
    }
    return found;
}

/// Ends the text for the parser, which would take a brace behind it for one of its own.
class Ended {
  public:
    explicit Ended(std::string_view body)
        : behind_(const_cast<char*>(body.data()) + body.size()),
          was_(std::exchange(*behind_, ' ')) {}
    Ended(const Ended&) = delete;
    Ended& operator=(const Ended&) = delete;
    ~Ended() { *behind_ = was_; }

  private:
    char* behind_;
    char was_;
};

/// `length` becomes that of the object, where something is behind it.
Result<Peeked> peek_object(std::string_view body, std::size_t& length) {
    const Ended ended(body);
    Peeked peeked;
    od::document document;
    od::object object;
    auto error = open(body, document, object);
    if (error != simdjson::SUCCESS) {
        return not_json(error);
    }
    for (auto entry : object) {
        od::field field;
        error = std::move(entry).get(field);
        if (error == simdjson::SUCCESS) {
            error = note_field(std::move(field), peeked);
        }
        if (error == simdjson::INCORRECT_TYPE) {  // of the others any type is the server's affair
            return Error(Errc::invalid_request, "'model' must be a string").with_param("model");
        }
        if (error != simdjson::SUCCESS) {
            return not_json(error);
        }
    }
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
        length = static_cast<std::size_t>(rest - body.data());
    }
    return peeked;
}

}  // namespace

Result<Peeked> peek_padded(std::string_view body) {
    if (body.empty()) {
        return not_json(simdjson::EMPTY);
    }
    std::size_t length = body.size();
    auto peeked = peek_object(body, length);
    if (!peeked) {  // what is behind the object can hide its end from the parser
        length = length_of_object(body);
        if (length == 0 || length == body.size()) {
            return peeked;
        }
        auto length_of_first = length;
        peeked = peek_object(body.substr(0, length), length_of_first);
    }
    if (peeked && length < body.size() && body.size() <= looked_at_whole) {
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
    const Ended ended(body);
    std::string_view opening;
    od::document document;
    od::object object;
    auto error = open(body, document, object);
    if (error != simdjson::SUCCESS) {
        return {};
    }
    for (auto entry : object) {
        od::field field;
        std::string_view key;
        error = std::move(entry).get(field);
        if (error == simdjson::SUCCESS) {
            error = field.unescaped_key().get(key);
        }
        if (error == simdjson::SUCCESS &&
            (key == "messages" || key == "prompt" || key == "input")) {
            error = note_opening(field.value(), opening);
        }
        if (error != simdjson::SUCCESS) {
            break;  // the server says what is wrong there
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
    auto found = members(body);
    if (!found) {
        return found.error();
    }
    std::string result = "{";
    const auto add = [&result](std::string_view member) {
        if (result.size() > 1) {
            result += ',';
        }
        result += member;
    };
    for (const auto& member : *found) {
        const bool dropped = set.contains(member.key) ||
                             std::find(strip.begin(), strip.end(), member.key) != strip.end();
        if (!dropped) {
            add(body.substr(member.begin, member.end - member.begin));
        }
    }
    for (const auto& [name, value] : set) {
        add("\"" + name + "\":" + value);
    }
    return result + "}";
}

Result<std::string> rewrite_fields(std::string& body, const std::map<std::string, std::string>& set,
                                   const std::vector<std::string>& strip) {
    body.reserve(body.size() + peek_padding);
    return rewrite_padded(body, set, strip);
}

}  // namespace routerd
