// Takes arbitrary bytes apart as a chunked body. Beside crashes and sanitizers' findings, a run
// fails when the bytes mean something else in pieces than in one, when a plain reader of the same
// rules finds other data, another end or another fault, or when data that was put into chunks does
// not come out of them again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/http/chunked.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using namespace routerd::fuzz;
using routerd::http::ChunkedDecoder;

struct Decoded {
    std::string data;
    std::size_t consumed = 0;
    bool done = false;
    bool bad = false;
    bool at_chunk_start = false;

    bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view bytes, Pieces pieces) {
    ChunkedDecoder decoder;
    Decoded decoded;
    const auto is_over = [&decoder] { return decoder.done() || decoder.bad(); };
    for (std::size_t known = 0; known < bytes.size() && !is_over();) {
        known += pieces.next(bytes.size() - known);
        std::size_t taken = 1;
        while (taken != 0 && !is_over()) {
            const auto piece = bytes.substr(decoded.consumed, known - decoded.consumed);
            const auto step = decoder.next(piece);
            require(step.consumed <= piece.size(), "no more is taken than there is");
            require(step.data.size() <= step.consumed && lies_in(step.data, piece), "in place");
            decoded.data += step.data;
            decoded.consumed += step.consumed;
            taken = step.consumed;
        }
        require(is_over() || decoded.consumed == known, "all that is there is taken");
    }
    decoded.done = decoder.done();
    decoded.bad = decoder.bad();
    decoded.at_chunk_start = decoder.at_chunk_start();
    require(!(decoded.done && decoded.bad), "one end");
    require(decoded.bad == !decoder.fault().empty(), "a fault has a reason");
    if (is_over()) {
        const auto after = decoder.next("0\r\n\r\n");
        require(after.consumed == 0 && after.data.empty(), "nothing after the end");
    }
    return decoded;
}

/// The same by looking at whole lines, with everything in view.
class Reference {
  public:
    explicit Reference(std::string_view bytes) : rest_(bytes) {}

    /// `consumed` is counted only where the end was found.
    Decoded read() {
        const auto length = rest_.size();
        while (read_chunk()) {
        }
        decoded_.consumed = decoded_.done ? length - rest_.size() : 0;
        return decoded_;
    }

  private:
    // As the decoder has them.
    static constexpr std::uint64_t largest_before_last_digit = 1ULL << 52U;
    static constexpr std::size_t most_digits = 16;
    static constexpr std::size_t longest_extension = 1024;
    static constexpr std::size_t longest_trailers = 8192;
    static constexpr const char* hex = "0123456789abcdefABCDEF";
    static constexpr const char* token =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    bool fail() {
        decoded_.bad = true;
        return false;
    }

    static bool has_control(std::string_view text) {
        return std::any_of(text.begin(), text.end(), [](char c) {
            return (static_cast<unsigned char>(c) < 32 && c != '\t') || c == 127;
        });
    }

    /// What stands before the next CR; `more` says whether a whole CRLF is there.
    bool take_line(std::string_view& line, bool& more) {
        const auto end = std::min(rest_.find('\r'), rest_.size());
        line = rest_.substr(0, end);
        more = rest_.substr(end).starts_with("\r\n");
        const bool is_cut_off = rest_.size() <= end + 1;
        rest_.remove_prefix(more ? end + 2 : end);
        return more || is_cut_off;
    }

    /// Hexadecimal digits and, maybe, an extension.
    bool read_size(std::string_view line, bool more, std::uint64_t& size) {
        const auto count = std::min(line.find_first_not_of(hex), line.size());
        const std::string number(line.substr(0, count));
        if (number.size() > most_digits) {
            return false;
        }
        size = std::strtoull(number.c_str(), nullptr, 16);
        if (size >> 4U > largest_before_last_digit) {
            return false;
        }
        const auto behind = line.substr(count);
        if (number.empty()) {
            return behind.empty() && !more && rest_.empty();  // nothing is there yet
        }
        return behind.empty() || (behind.front() == ';' && !has_control(behind) &&
                                  behind.size() - 1 <= longest_extension);
    }

    /// False when it was the last one, the end of the bytes or a fault.
    bool read_chunk() {
        decoded_.at_chunk_start = rest_.empty();
        std::string_view line;
        bool more = false;
        std::uint64_t size = 0;
        const bool ends_well = take_line(line, more);
        if (!read_size(line, more, size) || !ends_well) {
            return fail();
        }
        if (!more) {
            return false;
        }
        if (size == 0) {
            return read_trailers();
        }
        const auto data =
            rest_.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size, rest_.size())));
        decoded_.data += data;
        rest_.remove_prefix(data.size());
        if (data.size() < size || rest_.empty() || rest_ == "\r") {
            return false;
        }
        if (!rest_.starts_with("\r\n")) {
            return fail();
        }
        rest_.remove_prefix(2);
        return true;
    }

    bool read_trailers() {
        std::size_t bytes = 0;
        for (;;) {
            std::string_view line;
            bool more = false;
            const bool ends_well = take_line(line, more);
            bytes += line.size();
            if (!is_trailer(line, more) || bytes > longest_trailers || !ends_well) {
                return fail();
            }
            if (!more) {
                return false;
            }
            if (line.empty()) {
                decoded_.done = true;
                return false;
            }
        }
    }

    /// A field line, or the beginning of one, or nothing.
    bool is_trailer(std::string_view line, bool more) const {
        const auto name = std::min(line.find_first_not_of(token), line.size());
        if (name == line.size()) {
            return line.empty() || (!more && rest_.empty());
        }
        return name > 0 && line[name] == ':' && !has_control(line.substr(name));
    }

    std::string_view rest_;
    Decoded decoded_;
};

void check_encoded(std::string_view data, std::uint64_t seed) {
    std::string encoded;
    auto pieces = Pieces::random(seed, 300);
    for (std::size_t at = 0; at < data.size();) {
        const auto length = pieces.next(data.size() - at);
        char size[20];
        std::snprintf(size, sizeof size, length % 2 == 0 ? "%zx" : "0%zX", length);
        encoded += size + std::string(length % 3 == 0 ? ";a=\"b c\"\r\n" : "\r\n");
        encoded += data.substr(at, length);
        encoded += "\r\n";
        at += length;
    }
    encoded += "0\r\nX-T: 1\r\n\r\n";
    const auto decoded = decode(encoded + "5\r\n", Pieces::random(seed, 50));
    require(decoded.done && decoded.data == data, "what was put into chunks comes out");
    require(decoded.consumed == encoded.size(), "what follows is left alone");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = text_of(data, size);
    const auto seed = number_of(bytes);
    const auto whole = decode(bytes, Pieces::whole());
    require(whole.data.size() <= whole.consumed && whole.consumed <= size, "bounded");
    require(decode(bytes, Pieces::of(1)) == whole, "byte by byte is the same");
    require(decode(bytes, Pieces::random(seed, 7)) == whole, "in pieces is the same");
    auto expected = Reference(bytes).read();
    require(expected.bad == whole.bad && expected.done == whole.done, "refused by both or none");
    require(expected.data == whole.data, "the same data");
    require(!whole.done || expected.consumed == whole.consumed, "the same end");
    require(whole.bad || expected.at_chunk_start == whole.at_chunk_start, "the same place");
    check_encoded(bytes.substr(0, 512), seed);
    return 0;
}
