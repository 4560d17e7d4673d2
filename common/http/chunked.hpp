#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace routerd::http {

/// Takes the chunked transfer coding (RFC 9112 7.1) apart as bytes come, by the letter: CRLF only,
/// bounded sizes, extensions and trailers. It copies nothing and keeps nothing of the data.
class ChunkedDecoder {
  public:
    /// What one step took from the front of its input.
    struct Step {
        std::size_t consumed = 0;  ///< framing and data
        std::string_view data;     ///< the payload among it, in place; may be empty
    };

    /// Takes framing up to the next piece of data and that piece as far as it is there. Call it
    /// again with the rest until it consumes nothing, or until done() or bad().
    Step next(std::string_view input) noexcept;

    /// The last chunk and the trailers have been read; what follows belongs to the next message.
    bool done() const noexcept { return state_ == State::done; }

    /// Between two chunks: a chunk of somebody else's may be put in here.
    bool at_chunk_start() const noexcept { return state_ == State::size_first; }

    /// Bytes of data that the chunk at hand announced and that have not come yet.
    std::uint64_t chunk_left() const noexcept { return state_ == State::data ? left_ : 0; }

    bool bad() const noexcept { return state_ == State::bad; }

    /// bad(): why, a literal.
    std::string_view fault() const noexcept { return fault_; }

    void reset() noexcept { *this = ChunkedDecoder{}; }

  private:
    enum class State {
        size_first,  // the first digit of a chunk's size
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,  // at the beginning of a trailer line
        trailer_name,
        trailer,
        trailer_lf,
        end_lf,
        done,
        bad,
    };

    void take_framing(char c) noexcept;
    void take_size(char c) noexcept;
    void fail(std::string_view fault) noexcept;

    State state_ = State::size_first;
    std::uint64_t left_ = 0;    // of the current chunk's size, then of its data
    std::size_t overhead_ = 0;  // bytes of the current size, of its extension, or of all trailers
    std::string_view fault_;
};

}  // namespace routerd::http
