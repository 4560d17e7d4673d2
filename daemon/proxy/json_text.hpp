#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/proxy/json_ends.hpp"

namespace routerd {

/// What the string means that is `written` between its quotes. Errors: nullopt, where it is none.
std::optional<std::string> json_text(std::string_view written);

/// Walks over one level of a JSON text (RFC 8259) without a look at what is inside its values, 64
/// bytes at a time: they are skipped, not checked. `text` is padded and outlives it.
class JsonWalk {
  public:
    explicit JsonWalk(std::string_view text) noexcept : text_(text) {}

    /// Goes over blanks, and over `wanted` where that is next.
    bool skip(char wanted) noexcept {
        skip_blanks();
        const bool is_next = at_ < text_.size() && text_[at_] == wanted;
        at_ += is_next ? 1U : 0U;
        return is_next;
    }

    /// Goes over blanks and a value: as it is written, without blanks around. Empty: there is none;
    /// fault() says why.
    std::string_view value() noexcept;

    /// Where it is, in bytes from the beginning.
    std::size_t at() const noexcept { return at_; }
    const char* fault() const noexcept { return fault_; }

  private:
    friend class JsonMembers;

    /// As it is written between its quotes.
    struct String {
        std::string_view written;
        bool has_escape;
    };
    /// Of a string that begins here.
    struct StringEnd {
        std::size_t end;  ///< behind the closing quote, or npos
        bool is_plain;    ///< there is no backslash in it, for sure
    };

    void skip_blanks() noexcept {
        while (at_ < text_.size() && is_blank(text_[at_])) {
            ++at_;
        }
    }
    static bool is_blank(char c) noexcept {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }
    [[gnu::always_inline]] StringEnd end_of_string() const noexcept;
    /// Goes over blanks and a string. nullopt: there is none; where one begins, fault() says why.
    [[gnu::always_inline]] std::optional<String> take_string() noexcept;
    /// As value().
    [[gnu::always_inline]] std::string_view take_value() noexcept;
    [[gnu::always_inline]] std::string_view take_until(std::size_t end, const char* fault) noexcept;

    std::string_view text_;
    std::size_t at_ = 0;
    const char* fault_ = "";
};

/// The members of the object that a text begins with, one after the other.
class JsonMembers {
  public:
    struct Member {
        std::string_view key;    ///< as it is written, between its quotes
        std::string_view value;  ///< as it is written
        bool has_escape;         ///< the key

        /// Also where it is written with escapes.
        bool is_called(std::string_view name) const {
            return has_escape ? means(name) : key == name;
        }
        /// Both, with what is between them.
        std::string_view whole() const noexcept;

      private:
        bool means(std::string_view name) const;
    };

    explicit JsonMembers(std::string_view text) noexcept : walk_(text) {}

    /// nullopt: there are no more, or fault() says what is wrong.
    std::optional<Member> next() noexcept;

    /// nullptr: nothing, so far.
    const char* fault() const noexcept { return fault_; }
    /// Where the fault is; when there are no more members, how long the object is. In bytes.
    std::size_t at() const noexcept { return walk_.at(); }

  private:
    std::optional<Member> fail(const char* why) noexcept;
    std::optional<Member> fail_at_key() noexcept;

    JsonWalk walk_;
    bool begun_ = false;
    const char* fault_ = nullptr;
};

}  // namespace routerd
