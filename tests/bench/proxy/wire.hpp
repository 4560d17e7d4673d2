#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the stand-in server and the load generator say to each other. None of it is the daemon's
/// own code: a fault that both sides shared would not be seen.
namespace bench {

/// CLOCK_MONOTONIC, which all processes of a machine share.
std::uint64_t now_ns();

/// Depends on every byte and its place; fast enough for bodies of megabytes.
std::uint64_t sum_of(std::string_view bytes);

/// The number behind the first "name": in `json`, looked for as text.
std::optional<std::uint64_t> number_field(std::string_view json, std::string_view name);

/// What a request asks of the stand-in: fields of its JSON body, since a router may drop headers.
struct Ask {
    std::uint64_t id = 0;
    std::uint64_t tokens = 64;
    std::uint64_t interval_us = 0;  ///< between two writes of a stream; 0: as fast as it is read
    std::uint64_t batch = 1;        ///< tokens of one write
    std::uint64_t delay_us = 0;     ///< before the answer begins
    std::uint64_t reply = 600;      ///< bytes of an answer that is no stream, about
    bool stream = false;
};

Ask read_ask(std::string_view body);

/// A chat request of about `bytes`, with text that misleads who only searches for words.
std::string make_body(const Ask& ask, const std::string& model, std::uint64_t bytes);

/// Appends token `sequence` of a stream as an SSE event, stamped with `at_ns`.
void append_token(std::string& to, std::uint64_t sequence, std::uint64_t at_ns);

/// Appends `text` as one chunk of a chunked body.
void append_chunk(std::string& to, std::string_view text);

/// The event before [DONE]: the usage, and the receipt().
std::string usage_event(std::uint64_t tokens, const std::string& receipt);

/// The fields by which an answer proves that the request arrived as it was sent.
std::string receipt(std::string_view request_body);

/// What one event of a stream is, to who expects token `expected`.
enum class Event { token, usage, done, comment, other, missing, repeated, altered };

struct EventRead {
    Event kind = Event::other;
    std::uint64_t sent_ns = 0;  ///< of a token
};

EventRead read_event(std::string_view event, std::uint64_t expected);

}  // namespace bench
