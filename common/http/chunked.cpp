#include "common/http/chunked.hpp"

#include <algorithm>

#include "common/http/hex.hpp"
#include "common/http/token.hpp"

namespace routerd::http {
namespace {

constexpr std::uint64_t max_chunk = 1ULL << 56U;
constexpr std::size_t max_extension = 1U << 10U;
constexpr std::size_t max_trailers = 8U << 10U;
constexpr std::size_t max_digits = 16;  // zeros in front of a size have no use

bool is_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

}  // namespace

void ChunkedDecoder::fail(std::string_view fault) noexcept {
    state_ = State::bad;
    fault_ = fault;
}

void ChunkedDecoder::take_size(char c) noexcept {
    const int digit = hex_value(c);
    if (digit >= 0) {
        if (left_ > max_chunk >> 4U || ++overhead_ > max_digits) {
            return fail("chunk size too large");
        }
        left_ = left_ << 4U | static_cast<unsigned>(digit);
        state_ = State::size;
    } else if (state_ == State::size_first) {
        fail("chunk without a size");
    } else if (c == ';') {
        overhead_ = 0;
        state_ = State::extension;
    } else if (c == '\r') {
        state_ = State::size_lf;
    } else {
        fail("invalid chunk size");
    }
}

void ChunkedDecoder::take_framing(char c) noexcept {
    switch (state_) {
        case State::size_first:
        case State::size:
            return take_size(c);
        case State::extension:
            if (c == '\r') {
                state_ = State::size_lf;
            } else if (is_control(c) || ++overhead_ > max_extension) {
                fail("invalid chunk extension");
            }
            return;
        case State::size_lf:
            if (c != '\n') {
                return fail("chunk size line without CRLF");
            }
            overhead_ = 0;
            state_ = left_ == 0 ? State::trailer_start : State::data;
            return;
        case State::data_cr:
            return c == '\r' ? void(state_ = State::data_lf) : fail("chunk data without CRLF");
        case State::data_lf:
            overhead_ = 0;
            return c == '\n' ? void(state_ = State::size_first) : fail("chunk data without CRLF");
        case State::trailer_start:
            if (c == '\r') {
                state_ = State::end_lf;
                return;
            }
            state_ = State::trailer_name;
            return is_token_char(c) ? void(++overhead_) : fail("invalid trailer name");
        case State::trailer_name:
            if (c == ':') {
                state_ = State::trailer;
            } else if (!is_token_char(c)) {
                return fail("invalid trailer name");
            }
            return ++overhead_ > max_trailers ? fail("too large trailers") : void();
        case State::trailer:
            if (c == '\r') {
                state_ = State::trailer_lf;
            } else if (is_control(c) || ++overhead_ > max_trailers) {
                fail("invalid or too large trailers");
            }
            return;
        case State::trailer_lf:
            return c == '\n' ? void(state_ = State::trailer_start) : fail("trailer without CRLF");
        case State::end_lf:
            return c == '\n' ? void(state_ = State::done) : fail("end of chunks without CRLF");
        case State::data:
        case State::done:
        case State::bad:
            return;
    }
}

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view input) noexcept {
    std::size_t at = 0;
    while (at < input.size() && state_ != State::done && state_ != State::bad) {
        if (state_ == State::data) {
            const auto length =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
            left_ -= length;
            if (left_ == 0) {
                state_ = State::data_cr;
            }
            return {at + length, input.substr(at, length)};
        }
        take_framing(input[at]);
        ++at;
    }
    return {at, {}};
}

}  // namespace routerd::http
