#pragma once

#include <string>
#include <string_view>

namespace routerd::ctl {

/// How results are printed: --format, --json and --quiet.
struct Format {
    enum class Kind { table, wide, json, words, quiet };

    Kind kind = Kind::table;
    std::string words;          ///< Kind::words: a template such as "{{.id}} {{.state}}"
    bool with_heading = false;  ///< the template began with "table "

    /// table, wide, json, or a template.
    static Format parse(std::string_view text);

    bool is_for_people() const noexcept { return kind == Kind::table || kind == Kind::wide; }
};

}  // namespace routerd::ctl
