#include "common/config/raw_value.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace routerd {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const RawValue& value) {
    switch (value.kind) {
        case RawValue::Kind::list: {
            Json array = Json::array();
            for (const auto& item : value.items) {
                array.push_back(json_of(item));
            }
            return array;
        }
        case RawValue::Kind::table: {
            Json object = Json::object();
            for (const auto& [name, entry] : value.entries) {
                object[name] = json_of(entry);
            }
            return object;
        }
        case RawValue::Kind::text:
        case RawValue::Kind::integer:
        case RawValue::Kind::real:
        case RawValue::Kind::boolean: {
            auto parsed = Json::parse(value.scalar, nullptr, false);
            return parsed.is_discarded() ? Json(value.scalar) : parsed;
        }
        case RawValue::Kind::string:
        case RawValue::Kind::other:
            break;
    }
    return value.scalar;
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

RawValue raw_text(std::string_view text) {
    RawValue value;
    value.scalar = text;
    return value;
}

std::string_view describe(RawValue::Kind kind) {
    switch (kind) {
        case RawValue::Kind::text:
            return "text";
        case RawValue::Kind::string:
            return "a string";
        case RawValue::Kind::integer:
            return "a whole number";
        case RawValue::Kind::real:
            return "a number with a fraction";
        case RawValue::Kind::boolean:
            return "true or false";
        case RawValue::Kind::list:
            return "a list";
        case RawValue::Kind::table:
            return "a table";
        case RawValue::Kind::other:
            break;
    }
    return "a date or time";
}

std::string cited(const RawValue& value) {
    return "'" + escaped(value.scalar) + "'";
}

std::string to_json(const RawValue& value) {
    return dump(json_of(value));
}

std::string json_quoted(std::string_view text) {
    std::string result;
    for (const char c : dump(Json(std::string(text)))) {
        if (c == '\x7F') {  // JSON takes it as it is, TOML does not
            result += "\\u007f";
        } else {
            result += c;
        }
    }
    return result;
}

}  // namespace routerd
