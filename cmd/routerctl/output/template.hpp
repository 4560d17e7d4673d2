#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/base/result.hpp"

namespace routerd::ctl {

/// A template as docker users type it: {{.field}}, {{.field.inner}}, {{json .}}, {{json .field}},
/// {{join .list ","}}, {{len .list}}, {{upper .field}}, {{lower .field}}; \t and \n are a tab and a
/// line's end. Names of fields are those of the JSON, in any case.
class Template {
  public:
    /// Errors: invalid_request, with what is wrong and where.
    static Result<Template> parse(std::string_view text);

    /// The text for one value. Errors: invalid_request for a field that it has not, with those it
    /// has.
    Result<std::string> apply(const nlohmann::json& value) const;

    /// For `table …`: the names of the fields in place of their values, "ID\tSTATE".
    std::string heading() const;

  private:
    struct Piece {
        std::string text;      // literal when `function` is empty
        std::string function;  // "print", "json", "join", …
        std::vector<std::string> path;
        std::string argument;
    };

    static Result<Piece> parse_action(std::string_view action);
    static Result<std::string> evaluate(const Piece& piece, const nlohmann::json& value);

    std::vector<Piece> pieces_;
};

}  // namespace routerd::ctl
