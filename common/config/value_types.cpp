#include "common/config/value_types.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace routerd {
namespace {

/// A string that a line of a log, an argument and a path can hold.
Result<std::string> read_string(const RawValue& value) {
    if (!value.is_text()) {
        return wrong_type("a string", value);
    }
    if (value.scalar.find('\0') != std::string::npos) {
        return invalid_value("must not contain a NUL byte");
    }
    return value.scalar;
}

/// A list as text: JSON when it looks like it, else as `split` has it.
Result<Strings> list_from_text(const std::string& text, Strings (*split_text)(std::string_view)) {
    const auto trimmed = trim(text);
    if (trimmed.empty() || trimmed.front() != '[') {
        return split_text(trimmed);
    }
    const auto json = nlohmann::json::parse(trimmed, nullptr, false);
    Strings items;
    for (const auto& item : json) {
        if (!json.is_array() || !item.is_string()) {
            return invalid_value("must be a JSON list of strings, not " + json_quoted(trimmed));
        }
        items.push_back(item.get<std::string>());
    }
    if (!json.is_array()) {
        return invalid_value("must be a JSON list of strings, not " + json_quoted(trimmed));
    }
    return items;
}

Strings split_commas(std::string_view text) {
    Strings items;
    for (const auto part : split(text, ',')) {
        if (!trim(part).empty()) {
            items.emplace_back(trim(part));
        }
    }
    return items;
}

Strings split_words(std::string_view text) {
    return shell_split(text);
}

Result<Strings> read_strings(const RawValue& value, Strings (*split_text)(std::string_view)) {
    if (value.kind == RawValue::Kind::text) {
        return list_from_text(value.scalar, split_text);
    }
    if (value.kind != RawValue::Kind::list) {
        return wrong_type("a list of strings", value);
    }
    Strings items;
    for (const auto& item : value.items) {
        const auto text = read_string(item);
        if (!text) {
            return text.error().within("item " + std::to_string(items.size() + 1));
        }
        items.push_back(*text);
    }
    return items;
}

std::string print_strings(const Strings& items) {
    std::string text = "[";
    for (const auto& item : items) {
        text += (text.size() > 1 ? ", " : "") + json_quoted(item);
    }
    return text + "]";
}

Result<bool> read_boolean(const RawValue& value) {
    const bool may_be = value.kind == RawValue::Kind::text || value.kind == RawValue::Kind::boolean;
    const auto is = [&value](const char* word) { return iequals(value.scalar, word); };
    if (may_be && (is("true") || is("on") || is("yes") || is("1"))) {
        return true;
    }
    if (may_be && (is("false") || is("off") || is("no") || is("0"))) {
        return false;
    }
    return wrong_type("true or false", value);
}

}  // namespace

Error invalid_value(std::string message) {
    return {Errc::invalid_request, std::move(message)};
}

Error wrong_type(const std::string& wanted, const RawValue& value) {
    if (value.kind == RawValue::Kind::text) {
        return invalid_value("must be " + wanted + ", not " + cited(value));
    }
    return invalid_value("must be " + wanted + ", not " + std::string(describe(value.kind)));
}

ValueType<std::string> string_type(StringCheck check) {
    const auto read = [check = std::move(check)](const RawValue& value) -> Result<std::string> {
        auto text = read_string(value);
        const auto complaint = text && check ? check(*text) : std::string();
        if (!complaint.empty()) {
            return invalid_value(complaint);
        }
        return text;
    };
    return {"string", read, [](const std::string& text) { return text; }, true};
}

ValueType<std::string> choice_type(const Strings& words) {
    const auto read = [words](const RawValue& value) -> Result<std::string> {
        const auto text = read_string(value);
        if (!text) {
            return text.error();
        }
        for (const auto& word : words) {
            if (iequals(*text, word)) {
                return word;
            }
        }
        return invalid_value("must be one of " + join(words, ", ") + ", not " + cited(value));
    };
    return {"one of " + join(words, ", "), read, [](const std::string& text) { return text; },
            true};
}

ValueType<bool> boolean_type() {
    return {"true or false", read_boolean,
            [](const bool& value) { return std::string(value ? "true" : "false"); }, false};
}

ValueType<Strings> strings_type(StringCheck check) {
    const auto read = [check = std::move(check)](const RawValue& value) -> Result<Strings> {
        auto items = read_strings(value, split_commas);
        if (!items || !check) {
            return items;
        }
        for (const auto& item : *items) {
            const auto complaint = check(item);
            if (!complaint.empty()) {
                return invalid_value(complaint);
            }
        }
        return items;
    };
    return {"list of strings", read, print_strings, false};
}

ValueType<Strings> words_type() {
    const auto read = [](const RawValue& value) { return read_strings(value, split_words); };
    return {"list of strings", read, print_strings, false};
}

Result<std::string> read_json_entry(const RawValue& value) {
    if (value.kind == RawValue::Kind::other) {
        return wrong_type("a JSON value", value);
    }
    return to_json(value);
}

Result<std::string> read_string_entry(const RawValue& value) {
    return read_string(value);
}

}  // namespace routerd
