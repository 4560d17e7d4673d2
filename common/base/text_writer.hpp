#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace routerd {

/// A number as decimal digits, for as long as this lives.
class Decimal {
  public:
    template <std::integral Number>
    explicit Decimal(Number number) noexcept {
        const auto* const end =
            std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
        size_ = static_cast<std::size_t>(end - digits_.data());
    }

    std::string_view text() const noexcept { return {digits_.data(), size_}; }

  private:
    std::array<char, 20> digits_{};
    std::size_t size_ = 0;
};

/// Appends many small pieces to a text: where std::string::append() costs more than the copy. The
/// text has its length when this is gone, and is nobody else's before.
class TextWriter {
  public:
    /// `room`: how many bytes will come, about; more is slower.
    TextWriter(std::string& text, std::size_t room) : text_(text), size_(text.size()) {
        text_.resize(size_ + room);
    }
    TextWriter(const TextWriter&) = delete;
    TextWriter& operator=(const TextWriter&) = delete;
    ~TextWriter() { text_.resize(size_); }

    template <std::convertible_to<std::string_view>... Pieces>
    void add(const Pieces&... pieces) {
        make_room((std::string_view(pieces).size() + ...));
        (put(std::string_view(pieces)), ...);
    }

  private:
    void make_room(std::size_t more) {
        if (size_ + more > text_.size()) [[unlikely]] {
            text_.resize(std::max(size_ + more, 2 * text_.size()));
        }
    }

    [[gnu::always_inline]] void put(std::string_view piece) noexcept {
        if (!piece.empty()) {  // it may have no address, which memcpy() must not be given
            std::memcpy(text_.data() + size_, piece.data(), piece.size());
            size_ += piece.size();
        }
    }

    std::string& text_;
    std::size_t size_;
};

}  // namespace routerd
