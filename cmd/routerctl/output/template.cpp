#include "cmd/routerctl/output/template.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <nlohmann/json.hpp>

#include "cmd/routerctl/output/one_line.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 5> functions{"json", "join", "len", "upper", "lower"};

Error bad_template(const std::string& what) {
    return Error(Errc::invalid_request, "--format: " + what)
        .with_hint("templates look like '{{.id}} {{.state}}', '{{json .}}' or 'table {{.id}}'");
}

std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
        if (next == 't' || next == 'n') {
            result += next == 't' ? '\t' : '\n';
            ++i;
        } else {
            result += text[i];
        }
    }
    return result;
}

std::string plain(const Json& value) {
    if (value.is_string()) {
        return escaped(value.get_ref<const std::string&>());
    }
    return value.is_null() ? "" : one_line(value);
}

std::string joined(const Json& list, const std::string& separator) {
    std::vector<std::string> parts;
    for (const auto& item : list) {
        parts.push_back(plain(item));
    }
    return join(parts, separator);
}

/// The field of `value` at `path`, or nullptr with the names there are in `known`.
const Json* find(const Json& value, const std::vector<std::string>& path,
                 std::vector<std::string>& known) {
    const Json* at = &value;
    for (const auto& name : path) {
        known.clear();
        const Json* inner = nullptr;
        if (at->is_object()) {
            for (const auto& [key, field] : at->items()) {
                known.push_back(key);
                inner = iequals(key, name) ? &field : inner;
            }
        }
        if (inner == nullptr) {
            return nullptr;
        }
        at = inner;
    }
    return at;
}

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

}  // namespace

Result<Template::Piece> Template::parse_action(std::string_view action) {
    const auto words = shell_split(action);
    Piece piece;
    std::size_t next = 0;
    piece.function = "print";
    if (!words.empty() && !words[0].starts_with('.')) {
        piece.function = words[0];
        ++next;
        if (std::find(functions.begin(), functions.end(), words[0]) == functions.end()) {
            return bad_template("unknown function '" + words[0] + "' in '{{" + std::string(action) +
                                "}}'");
        }
    }
    if (next >= words.size() || !words[next].starts_with('.')) {
        return bad_template("'{{" + std::string(action) + "}}' names no field");
    }
    for (const auto name : split(std::string_view(words[next]).substr(1), '.')) {
        if (!name.empty()) {
            piece.path.emplace_back(name);
        }
    }
    ++next;
    if (piece.function == "join" && next < words.size()) {
        piece.argument = unescape(words[next++]);
    }
    if (next != words.size()) {
        return bad_template("too many words in '{{" + std::string(action) + "}}'");
    }
    return piece;
}

Result<Template> Template::parse(std::string_view text) {
    Template result;
    while (!text.empty()) {
        const auto open = text.find("{{");
        if (open != 0) {
            Piece literal;
            literal.text = unescape(text.substr(0, open));
            result.pieces_.push_back(std::move(literal));
        }
        if (open == std::string_view::npos) {
            break;
        }
        const auto close = text.find("}}", open);
        if (close == std::string_view::npos) {
            return bad_template("'{{' without '}}'");
        }
        auto piece = parse_action(text.substr(open + 2, close - open - 2));
        if (!piece) {
            return piece.error();
        }
        result.pieces_.push_back(std::move(*piece));
        text.remove_prefix(close + 2);
    }
    return result;
}

Result<std::string> Template::evaluate(const Piece& piece, const Json& value) {
    std::vector<std::string> known;
    const Json* field = find(value, piece.path, known);
    if (field == nullptr) {
        return Error(Errc::invalid_request, "--format: no field '." + join(piece.path, ".") + "'")
            .with_hint(known.empty() ? "it has no fields" : "fields: " + join(known, ", "));
    }
    if (piece.function == "json") {
        return one_line(*field);
    }
    if (piece.function == "len") {
        return std::to_string(field->is_string() ? field->get_ref<const std::string&>().size()
                                                 : field->size());
    }
    if (piece.function == "join") {
        return joined(*field, piece.argument);
    }
    if (piece.function == "upper") {
        return upper(plain(*field));
    }
    return piece.function == "lower" ? to_lower(plain(*field)) : plain(*field);
}

Result<std::string> Template::apply(const Json& value) const {
    std::string result;
    for (const auto& piece : pieces_) {
        if (piece.function.empty()) {
            result += piece.text;
            continue;
        }
        const auto text = evaluate(piece, value);
        if (!text) {
            return text.error();
        }
        result += *text;
    }
    return result;
}

std::string Template::heading() const {
    std::string result;
    for (const auto& piece : pieces_) {
        result += piece.function.empty() ? piece.text
                  : piece.path.empty()   ? "VALUE"
                                         : upper(piece.path.back());
    }
    return result;
}

}  // namespace routerd::ctl
