#include "daemon/proxy/tail_tap.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

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

    /// `value`: what stands behind the colon. The last of several counts, and they are met from
    /// the end.
    void note(std::string_view key, std::string_view value) {
        const auto take = [&](std::string_view name, auto& number) {
            if (!number && key == name) {
                read_number(value, number);
            }
        };
        switch (key.size()) {
            case 7:
                return take("cache_n", cached);
            case 8:
                return take("prompt_n", evaluated);
            case 11:
                return take("predicted_n", predicted);
            case 12:
                return take("input_tokens", input);
            case 13:
                take("output_tokens", output);
                return take("prompt_tokens", prompt);
            case 17:
                return take("completion_tokens", completion);
            case 20:
                return take("predicted_per_second", rate);
            default:
                return;
        }
    }
};

/// Of those that Found::note() knows; most colons are of other keys, or of texts.
bool ends_a_name(char c) {
    return c == 'n' || c == 's' || c == 'd';
}

/// The key that ends before `colon`, where it may be one of those; empty when there is none, or one
/// inside a string, whose quotes are escaped.
std::string_view key_before(std::string_view text, std::size_t colon) {
    auto end = colon;
    do {
        if (end < 2) {
            return {};
        }
        --end;
    } while (text[end] == ' ' || text[end] == '\t');
    if (text[end] != '"' || !ends_a_name(text[end - 1])) {
        return {};
    }
    constexpr std::size_t longest = 20;
    const auto from = end > longest + 1 ? end - longest - 1 : 0;
    const auto begin = text.substr(from, end - from).rfind('"');
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(from + begin + 1, end - from - begin - 1);
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

TailTap::Figures TailTap::figures() const {
    if (!ring_) {
        return {};
    }
    std::array<char, kept> straight;
    std::string_view text(ring_->data(), std::min(total_, kept));
    if (const auto at = total_ % kept; total_ > kept && at != 0) {
        std::rotate_copy(ring_->begin(), ring_->begin() + at, ring_->end(), straight.begin());
        text = {straight.data(), straight.size()};
    }
    Found found;
    for (auto rest = text; !(found.rate && found.completion && found.prompt);) {
        const auto* at = static_cast<const char*>(::memrchr(rest.data(), ':', rest.size()));
        if (at == nullptr) {
            break;
        }
        const auto colon = static_cast<std::size_t>(at - text.data());
        found.note(key_before(text, colon), text.substr(colon + 1));
        rest = text.substr(0, colon);
    }
    Figures figures;
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

}  // namespace routerd
