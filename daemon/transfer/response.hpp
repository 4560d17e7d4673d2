#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "daemon/transfer/extents.hpp"

namespace routerd::transfer {

/// What a transfer has to know of a response's head.
struct ResponseHead {
    unsigned status = 0;
    std::optional<std::uint64_t> length;  ///< Content-Length; a bad one is `bad_length`
    bool bad_length = false;
    bool chunked = false;
    std::string content_range;
    std::string content_type;
    std::string content_encoding;
    std::string etag;
    std::string location;
    std::string retry_after;
    std::size_t bytes = 0;  ///< of all its lines
};

/// Takes in one line of a head, with or without its line break; a status line begins a new head (a
/// 100 Continue comes before the real one).
void take_line(ResponseHead& head, std::string_view line);

/// Content-Range of a 206 (RFC 9110, 14.4): "bytes 0-99/200"; `total` is nullopt for "*".
struct ContentRange {
    Range range;
    std::optional<std::uint64_t> total;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

/// Retry-After (RFC 9110, 10.2.3), seconds or a date, as a delay from `now` on: at most ten
/// minutes. nullopt: there is none, or it cannot be read.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, WallTime now);

/// Whether parts of a file may go by it: "W/"-tags may stand for other bytes (RFC 9110, 8.8.1), and
/// what has control characters could not be sent back.
bool is_strong(std::string_view etag) noexcept;

/// What was asked for, and what is known of the file.
struct Asked {
    std::optional<Range> range;         ///< nullopt: the whole file
    std::optional<std::uint64_t> size;  ///< of the file
    std::string etag;                   ///< of the parts that are here; empty: none are
};

/// What to make of a response.
struct Judgement {
    enum class Verdict {
        take,        ///< its body is what was asked for
        take_whole,  ///< its body is the whole file from the start
        redirect,    ///< to head.location
        changed,     ///< the file is another now: what is here is worth nothing
        no_ranges,   ///< this origin's ranges cannot be used: ask for the whole
        retry,       ///< it may work later
        unwelcome,   ///< it will not work, unless the address was a temporary one
        fail,        ///< it will not work
    };
    Verdict verdict = Verdict::fail;
    Error error;                                ///< for the last four
    std::optional<std::uint64_t> size;          ///< of the file, when it is told
    std::optional<std::chrono::seconds> delay;  ///< before the next try, as the origin wants it
};

Judgement judge(const ResponseHead& head, const Asked& asked, WallTime now);

}  // namespace routerd::transfer
