#include "common/http/fields.hpp"

#include <array>
#include <bit>

#include "common/base/byte_block.hpp"
#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/http/token.hpp"

namespace routerd::http {
namespace {

/// Visible characters, space, tab and obs-text.
constexpr auto value_chars = [] {
    std::array<bool, 256> table{};
    for (std::size_t c = 0; c < table.size(); ++c) {
        table[c] = c == '\t' || (c >= 0x20 && c != 0x7F);
    }
    return table;
}();

bool is_value_char(char c) noexcept {
    return value_chars[static_cast<unsigned char>(c)];
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

inline std::string_view trim_blanks(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

bool has_element(std::string_view list, std::string_view element) noexcept {
    while (!list.empty()) {
        const auto comma = list.find(',');
        if (iequals(trim_blanks(list.substr(0, comma)), element)) {
            return true;
        }
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
    return false;
}

void note_length(Framing& framing, std::string_view value) noexcept {
    const auto length = number_in<std::uint64_t>(value);
    constexpr std::uint64_t limit = 1ULL << 62U;
    if (!length || *length > limit) {
        framing.fault = "invalid Content-Length";
    } else if (framing.length) {
        framing.fault = "more than one Content-Length";
    }
    framing.length = length.value_or(0);
}

void note_coding(Framing& framing, std::string_view value) noexcept {
    if (framing.chunked) {
        framing.fault = "more than one Transfer-Encoding";
    } else if (!iequals(value, "chunked")) {
        framing.fault = "transfer coding other than 'chunked'";
        framing.fault_status = 501;
    }
    framing.chunked = true;
}

void note_expectation(Framing& framing, std::string_view value) noexcept {
    framing.expects_continue = iequals(value, "100-continue");
    if (!framing.expects_continue) {
        framing.fault = "unknown expectation";
        framing.fault_status = 417;
    }
}

void note_field(Framing& framing, const Field& field) noexcept {
    if (field.known == Name::host) {
        ++framing.hosts;
        framing.host = field.value;
    } else if (field.known == Name::expect) {
        note_expectation(framing, field.value);
    } else if (field.known == Name::connection) {
        framing.close = framing.close || has_element(field.value, "close");
        framing.keep_alive = framing.keep_alive || has_element(field.value, "keep-alive");
    } else if (field.known == Name::content_length) {
        note_length(framing, field.value);
    } else if (field.known == Name::transfer_encoding) {
        note_coding(framing, field.value);
    }
}

std::string_view between(const char* begin, const char* end) noexcept {
    return {begin, static_cast<std::size_t>(end - begin)};
}

/// Where the value ends that begins at `at`: at the first byte that it may not have. One such lies
/// before `end`.
const char* end_of_value(const char* at, const char* end) noexcept {
    for (; static_cast<std::size_t>(end - at) >= ByteBlock::size; at += ByteBlock::size) {
        const ByteBlock block(at);
        const auto odd = (block.at_most(0x1F) & ~block.equal('\t')) | block.equal(0x7F);
        if (odd != 0) {
            return at + std::countr_zero(odd);
        }
    }
    while (is_value_char(*at)) {
        ++at;
    }
    return at;
}

struct NameFound {
    const char* end;
    Name known;
};

/// The name that begins at `at` ends at the first byte that it may not have. One such lies before
/// `end`. What is known needs no look at its bytes.
NameFound find_name(const char* at, const char* end) noexcept {
    constexpr auto looked_at = 2 * ByteBlock::size;
    if (static_cast<std::size_t>(end - at) >= looked_at) {
        const auto colons = ByteBlock(at).equal(':') | ByteBlock(at + ByteBlock::size).equal(':')
                                                           << ByteBlock::size;
        const auto* const colon = at + std::countr_zero(colons);  // all of them where there is none
        const auto known = name_of(between(at, colon));
        if (known != Name::other) {
            return {colon, known};
        }
    }
    const auto* const begin = at;
    while (is_token_char(*at)) {
        ++at;
    }
    return {at, name_of(between(begin, at))};
}

}  // namespace

// Loops by hand and by table, or by blocks: each byte of each head goes through them.

bool is_token(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_token_char(c)) {
            return false;
        }
    }
    return !text.empty();
}

bool is_field_value(std::string_view text) noexcept {
    for (const char c : text) {
        if (!is_value_char(c)) {
            return false;
        }
    }
    return true;
}

ParseResult parse_fields(std::string_view& rest, const HeadLimits& limits,
                         std::vector<Field>& fields, Framing& framing) {
    fields.clear();
    if (rest != "\r\n" && !rest.ends_with("\r\n\r\n")) {
        return bad(400, "head without an end");
    }
    const char* at = rest.data();
    const char* const end = at + rest.size();
    while (*at != '\r') {
        if (fields.size() == limits.fields) {
            return bad(431, "too many header fields");
        }
        const auto [colon, known] = find_name(at, end);
        if (colon == at && is_blank(*at)) {
            return bad(400, "folded header line");
        }
        if (colon == at || *colon != ':') {
            return bad(400, "invalid header name");
        }
        const char* const behind = end_of_value(colon + 1, end);
        if (behind[0] != '\r' || behind[1] != '\n') {
            return bad(400, "control character in a header value");
        }
        const Field field(between(at, colon), trim_blanks(between(colon + 1, behind)), known);
        at = behind + 2;
        fields.push_back(field);
        note_field(framing, field);
    }
    if (at[1] != '\n') {
        return bad(400, "carriage return inside a line");
    }
    rest.remove_prefix(static_cast<std::size_t>(at + 2 - rest.data()));
    return good(0);
}

std::string connection_options(const std::vector<Field>& fields) {
    std::string options;
    for (const auto& field : fields) {
        if (field.known == Name::connection) {
            options.append(options.empty() ? "" : ",").append(field.value);
        }
    }
    return options;
}

bool is_hop_by_hop(const Field& field, std::string_view options) noexcept {
    constexpr NameSet fixed{Name::connection,
                            Name::keep_alive,
                            Name::proxy_connection,
                            Name::proxy_authenticate,
                            Name::te,
                            Name::transfer_encoding,
                            Name::trailer,
                            Name::upgrade,
                            Name::proxy_authorization};
    return fixed.has(field.known) || has_element(options, field.name);
}

}  // namespace routerd::http
