#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace routerd {

struct RawEntry;

/// A value before anybody knows what it should be, from TOML (typed) or from an environment
/// variable, the command line or the store (text).
struct RawValue {
    enum class Kind {
        text,  ///< of no known type: it may be a number, a list …
        string,
        integer,
        real,
        boolean,
        list,
        table,
        other,  ///< a date or a time, which no key takes
    };

    /// Written as a string, or as text that may be taken for one.
    bool is_text() const noexcept { return kind == Kind::text || kind == Kind::string; }

    Kind kind = Kind::text;
    std::string scalar;  ///< of everything but lists and tables, as written
    std::vector<RawValue> items;
    std::vector<RawEntry> entries;
    std::string where;      ///< "file:line:column" of the value, or what else it came from
    std::string key_where;  ///< of the key it belongs to
    std::string origin;     ///< the same without the column, for `config show`
};

/// One name of a table and its value.
struct RawEntry {
    std::string name;
    RawValue value;
};

RawValue raw_text(std::string_view text);

/// "a whole number", "a table": for errors.
std::string_view describe(RawValue::Kind kind);

/// Its scalar in quotes, for errors.
std::string cited(const RawValue& value);

/// As JSON; a text that is JSON is taken as it is, any other text is a string.
std::string to_json(const RawValue& value);

/// `text` in quotes, for JSON and TOML alike.
std::string json_quoted(std::string_view text);

}  // namespace routerd
