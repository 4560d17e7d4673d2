#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// What the fuzz targets share.
namespace routerd::fuzz {

/// Ends the program, as a fuzzer wants to be told of a fault: `broken` says which promise it was.
inline void require(bool holds, const char* broken) {
    if (!holds) {
        std::fprintf(stderr, "broken promise: %s\n", broken);
        std::abort();
    }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return size == 0 ? std::string_view()
                     : std::string_view(reinterpret_cast<const char*>(data), size);
}

/// Gives an input to one of several checks: its first byte says to which, '0' to the first.
template <std::size_t count>
int check_one(std::string_view text, void (*const (&checks)[count])(std::string_view)) {
    if (!text.empty()) {
        checks[static_cast<unsigned char>(text.front() - '0') % count](text.substr(1));
    }
    return 0;
}

/// Takes the first line of `text`, without its break, from its front.
inline std::string_view take_first_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

inline bool lies_in(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

/// A number that the bytes themselves decide, so that a finding is found again.
inline std::uint64_t number_of(std::string_view bytes) {
    std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
    for (const char c : bytes) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    }
    return hash ^ hash >> 29U;
}

/// How long the pieces are in which bytes arrive: all of them, or each by chance.
class Pieces {
  public:
    static Pieces whole() { return Pieces(0, SIZE_MAX); }
    static Pieces of(std::size_t bytes) { return Pieces(0, bytes); }
    /// Lengths from 1 to `longest`, drawn from `seed`.
    static Pieces random(std::uint64_t seed, std::size_t longest) {
        return Pieces(seed | 1U, longest);
    }

    /// The length of the next one, of `left` bytes (at least 1).
    std::size_t next(std::size_t left) {
        if (seed_ == 0) {
            return std::min(longest_, left);
        }
        seed_ ^= seed_ << 13U;  // xorshift
        seed_ ^= seed_ >> 7U;
        seed_ ^= seed_ << 17U;
        return std::min<std::size_t>(1 + (seed_ >> 11U) % longest_, left);
    }

  private:
    Pieces(std::uint64_t seed, std::size_t longest) : seed_(seed), longest_(longest) {}

    std::uint64_t seed_;  // 0: all pieces are as long as may be
    std::size_t longest_;
};

}  // namespace routerd::fuzz
