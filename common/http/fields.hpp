#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/names.hpp"

namespace routerd::http {

/// One header field. The views point into the bytes that were parsed.
struct Field {
    Field(std::string_view sent, std::string_view text) noexcept
        : Field(sent, text, name_of(sent)) {}
    /// `is`: what name_of(sent) gives.
    Field(std::string_view sent, std::string_view text, Name is) noexcept
        : name(sent), value(text), known(is) {}

    std::string_view name;   ///< as sent
    std::string_view value;  ///< without surrounding white space
    Name known;              ///< what `name` is
};

/// What a head may have at most; more is 414 or 431.
struct HeadLimits {
    std::size_t line = 8U << 10U;   ///< bytes of the request or status line
    std::size_t head = 32U << 10U;  ///< bytes of the whole head
    std::size_t fields = 100;
};

/// What a parser says of the bytes so far.
struct ParseResult {
    enum class State { incomplete, complete, bad };
    State state = State::incomplete;
    std::size_t consumed = 0;  ///< complete: the head's length with its empty line
    unsigned status = 400;     ///< bad: what to answer a client with (400, 414, 431, 501, 505)
    std::string_view reason;   ///< bad: why, a literal
};

constexpr ParseResult bad(unsigned status, std::string_view reason) noexcept {
    return {.state = ParseResult::State::bad, .consumed = 0, .status = status, .reason = reason};
}

constexpr ParseResult good(std::size_t consumed) noexcept {
    return {.state = ParseResult::State::complete, .consumed = consumed, .status = 0, .reason = {}};
}

/// RFC 9110 5.6.2, and 5.5: visible characters, space, tab and obs-text.
bool is_token(std::string_view text) noexcept;
bool is_field_value(std::string_view text) noexcept;

/// What decides a message's framing and the connection's life, gathered in one pass.
struct Framing {
    std::optional<std::uint64_t> length;
    bool chunked = false;
    bool close = false;
    bool keep_alive = false;
    unsigned hosts = 0;
    std::string_view host;
    bool expects_continue = false;
    std::string_view fault;  // a literal; empty when all is well
    unsigned fault_status = 400;
};

/// Parses the field lines up to the empty one, takes them off `rest` and notes what they say of
/// framing. One look at each byte: that `rest` ends with an empty line is what keeps it inside.
ParseResult parse_fields(std::string_view& rest, const HeadLimits& limits,
                         std::vector<Field>& fields, Framing& framing);

/// The values of all Connection fields, joined by ','.
std::string connection_options(const std::vector<Field>& fields);

/// True for a field that one hop must not pass on: the fixed ones of RFC 9110 7.6.1, and those that
/// `options` (see connection_options()) name.
bool is_hop_by_hop(const Field& field, std::string_view options) noexcept;

}  // namespace routerd::http
