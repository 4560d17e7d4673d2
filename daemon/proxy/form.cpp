#include "daemon/proxy/form.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

#include "common/base/byte_block.hpp"
#include "common/base/text.hpp"
#include "daemon/proxy/json_text.hpp"

namespace routerd {
namespace {

constexpr std::string_view line_end = "\r\n";

Error not_a_form(const FormFields& fields) {
    return Error(Errc::invalid_request, "the request body is no multipart/form-data: at byte " +
                                            std::to_string(fields.at()) + ", " + fields.fault())
        .with_hint("let the client make it: curl -F model=NAME -F file=@FILE");
}

/// Of `attr=value; attr="value"; …`, RFC 2045 5.1, one after the other.
class Parameters {
  public:
    explicit Parameters(std::string_view text) noexcept : rest_(text) {}

    /// Name and value, without its quotes; what is escaped in these stays so. False: no more, or
    /// what follows is none.
    bool next(std::string_view& name, std::string_view& value) {
        rest_ = trim(rest_);
        if (!rest_.starts_with(';')) {
            return false;
        }
        rest_ = trim(rest_.substr(1));
        const auto equals = rest_.find_first_of("=;");
        if (equals == std::string_view::npos || rest_[equals] != '=') {
            return false;
        }
        name = trim(rest_.substr(0, equals));
        rest_ = trim(rest_.substr(equals + 1));
        return rest_.starts_with('"') ? take_quoted(value) : take_token(value);
    }

    bool is_done() const noexcept { return trim(rest_).empty(); }

  private:
    bool take_quoted(std::string_view& value) {
        std::size_t end = 1;
        while (end < rest_.size() && rest_[end] != '"') {
            end += rest_[end] == '\\' ? 2U : 1U;
        }
        if (end >= rest_.size()) {
            return false;
        }
        value = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return true;
    }

    bool take_token(std::string_view& value) {
        const auto end = std::min(rest_.find(';'), rest_.size());
        value = trim(rest_.substr(0, end));
        rest_.remove_prefix(end);
        return !value.empty();
    }

    std::string_view rest_;
};

bool is_boundary(std::string_view text) {
    constexpr std::size_t longest = 70;
    static constexpr std::string_view others = "'()+_,-./:=? ";
    const auto may_be_there = [](char c) {
        return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') ||
               others.find(c) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= longest && text.back() != ' ' &&
           std::ranges::all_of(text, may_be_there);
}

/// What Content-Disposition says of a part. False: that it is no field of a form, or one whose name
/// other parsers might read in another way.
bool read_disposition(std::string_view value, FormFields::Field& field) {
    const auto type_end = std::min(value.find(';'), value.size());
    if (!iequals(trim(value.substr(0, type_end)), "form-data")) {
        return false;
    }
    unsigned names = 0;
    bool is_plain = true;
    Parameters parameters(value.substr(type_end));
    std::string_view name;
    std::string_view said;
    while (parameters.next(name, said)) {
        const bool is_name = iequals(name, "name");
        if (is_name) {
            field.name = said;
            ++names;
        }
        is_plain = is_plain && !iequals(name, "name*") &&
                   !(is_name && said.find('\\') != std::string_view::npos);
        field.is_file = field.is_file || iequals(name, "filename") || iequals(name, "filename*");
    }
    return names == 1 && is_plain && parameters.is_done();
}

/// False: the headers do not name the field, or they are none.
bool read_headers(std::string_view headers, FormFields::Field& field) {
    unsigned dispositions = 0;
    bool is_good = true;
    while (is_good && !headers.empty()) {
        const auto end = std::min(headers.find(line_end), headers.size());
        const auto line = headers.substr(0, end);
        headers.remove_prefix(std::min(end + line_end.size(), headers.size()));
        const auto colon = line.find_first_of(": \t");
        const bool is_one = colon != std::string_view::npos && colon > 0 && line[colon] == ':' &&
                            line.find_first_of("\r\n") == std::string_view::npos;
        const bool is_disposition = is_one && iequals(line.substr(0, colon), "content-disposition");
        dispositions += is_disposition ? 1U : 0U;
        is_good = is_one && (!is_disposition || read_disposition(line.substr(colon + 1), field));
    }
    return is_good && dispositions == 1;
}

Result<void> note_field(const FormFields::Field& field, Peeked& peeked) {
    if (field.name == "stream") {
        peeked.stream = iequals(field.value, "true") || field.value == "1";
    }
    if (field.name != "model") {
        return {};
    }
    const bool is_text = !field.is_file && valid_utf8(field.value) == field.value;
    const char* const fault = peeked.model ? "'model' is there twice"
                              : is_text    ? nullptr
                                           : "'model' must be a text, not a file";
    if (fault != nullptr) {
        return Error(Errc::invalid_request, fault).with_param("model");
    }
    peeked.model = std::string(field.value);
    return {};
}

constexpr auto step = ByteBlock::size;

/// Where the next line begins with "--", at the LF before it, or where the last `step` + 1 bytes
/// begin. So many at a time, whatever they are: who sends a file of empty lines must not hold up
/// the loop.
std::size_t next_dashes(std::string_view text, std::size_t from) noexcept {
    std::size_t at = from;
    for (; at + step + 1 < text.size(); at += step) {
        const auto* const here = text.data() + at;
        const auto begins = ByteBlock(here).equal('\n') & ByteBlock(here + 1).equal('-') &
                            ByteBlock(here + 2).equal('-');
        if (begins != 0) {
            return at + static_cast<std::size_t>(std::countr_zero(begins));
        }
    }
    return at;
}

/// Of `delimiter`, which begins with LF and two dashes.
std::size_t find_delimiter(std::string_view text, std::string_view delimiter, std::size_t from) {
    constexpr std::size_t dashes = 3;
    for (auto at = next_dashes(text, from); at < text.size(); at = next_dashes(text, at + dashes)) {
        if (text.substr(at).starts_with(delimiter)) {
            return at;
        }
        if (text.size() - at <= step + 1) {
            return text.find(delimiter, at);
        }
    }
    return std::string_view::npos;
}

/// A field's name is between quotes, in which browsers escape these (HTML, "multipart/form-data").
std::string escaped_name(std::string_view name) {
    std::string result;
    for (const char c : name) {
        switch (c) {
            case '"':
                result += "%22";
                break;
            case '\r':
                result += "%0D";
                break;
            case '\n':
                result += "%0A";
                break;
            default:
                result += c;
        }
    }
    return result;
}

/// What a field says that JSON would say so.
std::string plain_text(std::string_view json) {
    if (json.size() < 2 || json.front() != '"') {
        return std::string(json);
    }
    std::string padded(json);
    padded.reserve(padded.size() + peek_padding);
    return json_text(std::string_view(padded).substr(1, padded.size() - 2)).value_or(padded);
}

}  // namespace

std::optional<std::string_view> boundary_of(std::string_view content_type) {
    const auto type_end = std::min(content_type.find(';'), content_type.size());
    if (!iequals(trim(content_type.substr(0, type_end)), "multipart/form-data")) {
        return std::nullopt;
    }
    unsigned boundaries = 0;
    std::string_view boundary;
    Parameters parameters(content_type.substr(type_end));
    std::string_view name;
    std::string_view value;
    while (parameters.next(name, value)) {
        if (iequals(name, "boundary")) {
            boundary = value;
            ++boundaries;
        }
    }
    const bool is_good = boundaries == 1 && is_boundary(boundary) && parameters.is_done();
    return is_good ? std::optional(boundary) : std::nullopt;
}

FormFields::FormFields(std::string_view body, std::string_view boundary)
    : body_(body), delimiter_("\n--") {
    delimiter_ += boundary;
    const auto first = std::string_view(delimiter_).substr(1);
    at_ = body_.starts_with(line_end) ? line_end.size() : 0;
    if (!body_.substr(at_).starts_with(first)) {
        fail("it does not begin with its boundary");
        return;
    }
    at_ += first.size();
    skip_boundary_end();
}

void FormFields::fail(const char* why) noexcept {
    fault_ = why;
    ended_ = true;
}

/// Goes behind the next boundary. What is before it, without the line's end.
std::string_view FormFields::to_boundary() noexcept {
    const auto begin = at_;
    const auto end = find_delimiter(body_, delimiter_, begin);
    if (end == std::string_view::npos) {
        fail("a boundary is missing behind this field");
        return {};
    }
    at_ = end;
    if (end == begin || body_[end - 1] != '\r') {  // some parsers would see a boundary
        fail("the line before a boundary does not end in CR LF");
        return {};
    }
    at_ += delimiter_.size();
    skip_boundary_end();
    return body_.substr(begin, end - 1 - begin);
}

/// What is behind a boundary on its line, and behind the last one.
void FormFields::skip_boundary_end() noexcept {
    const auto rest = body_.substr(at_);
    if (rest.starts_with("--")) {
        at_ += 2;
        ended_ = true;
        if (rest.size() > 2 && rest.substr(2) != line_end) {
            fail("there is something behind the last boundary");
        }
        return;
    }
    const auto blanks = std::min(rest.find_first_not_of(" \t"), rest.size());
    if (!rest.substr(blanks).starts_with(line_end)) {
        fail("there is something behind a boundary");
        return;
    }
    at_ += blanks + line_end.size();
}

std::optional<FormFields::Field> FormFields::next() {
    if (ended_) {
        return std::nullopt;
    }
    const auto begin = at_;
    const auto part = to_boundary();
    if (fault_ != nullptr) {
        return std::nullopt;
    }
    constexpr std::string_view empty_line = "\r\n\r\n";
    const auto headers_end = part.find(empty_line);
    Field field;
    if (headers_end == std::string_view::npos ||
        !read_headers(part.substr(0, headers_end), field)) {
        at_ = begin;
        fail("a field's headers do not say its name");
        return std::nullopt;
    }
    field.value = part.substr(headers_end + empty_line.size());
    field.whole = body_.substr(begin, part.size() + line_end.size());
    return field;
}

Result<Peeked> peek_form(std::string_view body, std::string_view boundary) {
    Peeked peeked;
    FormFields fields(body, boundary);
    while (const auto field = fields.next()) {
        const auto noted = note_field(*field, peeked);
        if (!noted) {
            return noted.error();
        }
    }
    if (fields.fault() != nullptr) {
        return not_a_form(fields);
    }
    return peeked;
}

Result<std::string> rewrite_form(std::string_view body, std::string_view boundary,
                                 const std::map<std::string, std::string>& set,
                                 const std::vector<std::string>& strip) {
    const auto delimiter = "--" + std::string(boundary);
    std::string result;
    for (const auto& [name, json] : set) {
        const auto value = plain_text(json);
        if (value.find(delimiter) != std::string::npos) {
            return Error(Errc::invalid_request, "the form's boundary is in the value of '" + name +
                                                    "', which is set in it")
                .with_hint("take another boundary");
        }
        result.append(delimiter).append("\r\ncontent-disposition: form-data; name=\"");
        result.append(escaped_name(name)).append("\"\r\n\r\n").append(value).append(line_end);
    }
    FormFields fields(body, boundary);
    while (const auto field = fields.next()) {
        if (!set.contains(std::string(field->name)) &&
            std::ranges::find(strip, field->name) == strip.end()) {
            result.append(delimiter).append(line_end).append(field->whole);
        }
    }
    if (fields.fault() != nullptr) {
        return not_a_form(fields);
    }
    result.append(delimiter).append("--\r\n");
    return result;
}

}  // namespace routerd
