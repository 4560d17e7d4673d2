#include "daemon/proxy/tail_tap.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "common/base/byte_block.hpp"

namespace routerd {
namespace {

constexpr double most = 1LL << 53;  // RFC 8259 6: what all who read JSON agree on

/// Leaves `into` as it is where no such figure can be: from_chars() takes "nan" and "-1", too.
template <class Number>
void read_number(std::string_view text, std::optional<Number>& into) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool has_digit = !text.empty() && text.front() >= '0' && text.front() <= '9';
    if (error == std::errc{} && has_digit && static_cast<double>(value) <= most) {
        into = value;
    }
}

/// What the figures are called by, the most reliable first.
struct Found {
    std::optional<double> rate;
    std::optional<std::uint64_t> completion;
    std::optional<std::uint64_t> output;
    std::optional<std::uint64_t> predicted;
    std::optional<std::uint64_t> prompt;
    std::optional<std::uint64_t> input;
    std::optional<std::uint64_t> evaluated;  ///< of the prompt, besides those that were cached
    std::optional<std::uint64_t> cached;

    /// `text` ends with the key, without its closing quote; `value`: what stands behind the colon.
    /// The last of several counts, and they are met from the end.
    void note(std::string_view text, std::string_view value) {
        const auto take = [&](std::string_view quoted, auto& number) {
            if (!number && text.ends_with(quoted)) {
                read_number(value, number);
            }
        };
        if (text.ends_with("_tokens")) {
            take("\"completion_tokens", completion);
            take("\"prompt_tokens", prompt);
            take("\"output_tokens", output);
            take("\"input_tokens", input);
        } else if (text.ends_with("_n")) {
            take("\"predicted_n", predicted);
            take("\"prompt_n", evaluated);
            take("\"cache_n", cached);
        } else {
            take("\"predicted_per_second", rate);
        }
    }
};

/// What stands before the closing quote of the key that `colon` follows; empty when there is none.
std::string_view before_quote(std::string_view text, std::size_t colon) {
    const auto end = text.substr(0, colon).find_last_not_of(" \t");
    return end == std::string_view::npos || text[end] != '"' ? std::string_view()
                                                             : text.substr(0, end);
}

/// The last colon behind which a figure may be, or near the beginning of the text the last one of
/// all; npos: there is none.
std::size_t last_colon(std::string_view text) {
    constexpr std::size_t before = 2;  // bytes that are looked at with each
    while (text.size() >= before + ByteBlock::size) {
        const auto at = text.size() - ByteBlock::size;
        auto colons = ByteBlock(text.data() + at).equal(':');
        if (colons != 0) {
            const ByteBlock previous(text.data() + at - 1);
            const ByteBlock key_end(text.data() + at - before);  // of all that are known
            const auto quoted = previous.equal('"') &
                                (key_end.equal('n') | key_end.equal('s') | key_end.equal('d'));
            colons &= quoted | previous.equal(' ') | previous.equal('\t');
        }
        if (colons != 0) {
            return at + static_cast<std::size_t>(std::bit_width(colons)) - 1;
        }
        text.remove_suffix(ByteBlock::size);
    }
    return text.rfind(':');
}

TailTap::Figures figures_in(std::string_view text) {
    Found found;
    auto rest = text;
    while (!(found.rate && found.completion && found.prompt)) {
        const auto colon = last_colon(rest);
        if (colon == std::string_view::npos) {
            break;
        }
        found.note(before_quote(text, colon), text.substr(colon + 1));
        rest = text.substr(0, colon);
    }
    TailTap::Figures figures;
    figures.tokens_per_second = found.rate;
    figures.completion_tokens = found.completion ? found.completion
                                : found.output   ? found.output
                                                 : found.predicted;
    figures.prompt_tokens = found.prompt  ? found.prompt
                            : found.input ? found.input
                                          : found.evaluated;
    if (!found.prompt && !found.input && found.evaluated) {
        *figures.prompt_tokens += found.cached.value_or(0);
    }
    return figures;
}

}  // namespace

void TailTap::see(std::string_view piece) {
    if (piece.empty()) {
        return;  // it may have no address, which memcpy() must not be given
    }
    if (!ring_) {
        ring_ = std::make_unique_for_overwrite<std::array<char, kept>>();
    }
    if (piece.size() > kept) {
        total_ += piece.size() - kept;
        piece.remove_prefix(piece.size() - kept);
    }
    const auto at = total_ % kept;
    const auto first = std::min(piece.size(), kept - at);
    std::memcpy(ring_->data() + at, piece.data(), first);
    std::memcpy(ring_->data(), piece.data() + first, piece.size() - first);
    total_ += piece.size();
}

void TailTap::see_last(std::string_view piece) {
    if (ring_) {
        return see(piece);
    }
    piece.remove_prefix(piece.size() - std::min(piece.size(), kept));
    of_whole_ = figures_in(piece);
}

TailTap::Figures TailTap::figures() const {
    if (of_whole_ || !ring_) {
        return of_whole_.value_or(Figures());
    }
    const auto at = total_ % kept;
    if (total_ <= kept || at == 0) {
        return figures_in({ring_->data(), std::min(total_, kept)});
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): it is written next
    std::array<char, kept> straight;
    std::rotate_copy(ring_->begin(), ring_->begin() + at, ring_->end(), straight.begin());
    return figures_in({straight.data(), straight.size()});
}

}  // namespace routerd
