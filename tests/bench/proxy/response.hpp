#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

/// Reads one HTTP/1.1 response, which may arrive in any pieces. Only lengths and chunks count as an
/// end: a body that ends with the connection may have been cut, so it is bad.
class ResponseReader {
  public:
    enum class State { head, length, chunk_size, chunk, chunk_end, trailer, done, bad };

    /// Takes what belongs to the response, gives the body's bytes to `sink`; the number of bytes
    /// taken.
    template <typename Sink>
    std::size_t take(std::string_view bytes, Sink&& sink);

    void reset() { *this = ResponseReader(); }
    bool done() const { return state_ == State::done; }
    bool bad() const { return state_ == State::bad; }
    unsigned status() const { return status_; }
    bool closes() const { return closes_; }

  private:
    void read_head();
    void read_line();
    bool collect(std::string_view& bytes, std::string_view end);

    State state_ = State::head;
    unsigned status_ = 0;
    bool closes_ = false;  ///< the connection ends with this response
    std::uint64_t left_ = 0;
    std::string held_;  ///< a head or a line that is not whole yet
};

template <typename Sink>
std::size_t ResponseReader::take(std::string_view bytes, Sink&& sink) {
    const auto all = bytes.size();
    while (!bytes.empty() && !done() && !bad()) {
        if (state_ == State::length || state_ == State::chunk) {
            const auto piece = bytes.substr(0, left_);
            sink(piece);
            bytes.remove_prefix(piece.size());
            left_ -= piece.size();
            if (left_ == 0) {
                state_ = state_ == State::length ? State::done : State::chunk_end;
            }
        } else if (state_ == State::head) {
            if (collect(bytes, "\r\n\r\n")) {
                read_head();
                held_.clear();
            }
        } else if (collect(bytes, "\r\n")) {
            read_line();
            held_.clear();
        }
    }
    return all - bytes.size();
}

}  // namespace bench
