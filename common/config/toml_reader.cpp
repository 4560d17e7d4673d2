#include "common/config/toml_reader.hpp"

#include <sstream>

#include <toml++/toml.h>

namespace routerd {
namespace {

std::string position(const std::string& name, const toml::source_region& source) {
    return name + ":" + std::to_string(source.begin.line) + ":" +
           std::to_string(source.begin.column);
}

template <class T>
std::string printed(const T& value) {
    std::ostringstream text;
    text.precision(17);
    text << value;
    return text.str();
}

/// TOML as plain values. The depth is bounded by toml++ itself.
// NOLINTNEXTLINE(misc-no-recursion)
RawValue convert(const toml::node& node, const std::string& name) {
    RawValue value;
    value.where = position(name, node.source());
    value.origin = name + ":" + std::to_string(node.source().begin.line);
    if (const auto* table = node.as_table()) {
        value.kind = RawValue::Kind::table;
        for (const auto& [key, entry] : *table) {
            auto converted = convert(entry, name);
            converted.key_where = position(name, key.source());
            value.entries.push_back({std::string(key.str()), std::move(converted)});
        }
    } else if (const auto* array = node.as_array()) {
        value.kind = RawValue::Kind::list;
        for (const auto& item : *array) {
            value.items.push_back(convert(item, name));
        }
    } else if (const auto* text = node.as_string()) {
        value.kind = RawValue::Kind::string;
        value.scalar = text->get();
    } else if (const auto* integer = node.as_integer()) {
        value.kind = RawValue::Kind::integer;
        value.scalar = std::to_string(integer->get());
    } else if (const auto* real = node.as_floating_point()) {
        value.kind = RawValue::Kind::real;
        value.scalar = printed(real->get());
    } else if (const auto* boolean = node.as_boolean()) {
        value.kind = RawValue::Kind::boolean;
        value.scalar = boolean->get() ? "true" : "false";
    } else {
        value.kind = RawValue::Kind::other;
    }
    return value;
}

}  // namespace

TomlText read_toml(const std::string& text, const std::string& name) {
    try {
        return {convert(toml::parse(text, name), name), std::nullopt};
    } catch (const toml::parse_error& error) {
        const std::string reason(error.description());
        ConfigProblem problem{position(name, error.source()), "not TOML: " + reason, ""};
        return {RawValue{}, std::move(problem)};
    }
}

}  // namespace routerd
