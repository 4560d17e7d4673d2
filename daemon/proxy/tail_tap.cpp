#include "daemon/proxy/tail_tap.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace routerd {
namespace {

/// The number after the last `"name":` in `text`.
template <class Number>
std::optional<Number> number_after(std::string_view text, std::string_view name) {
    const auto at = text.rfind(name);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    auto rest = text.substr(at + name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(": \t"), rest.size()));
    Number value{};
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    return error == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

void TailTap::see(std::string_view piece) noexcept {
    if (piece.empty()) {
        return;  // it may have no address, which memcpy() must not be given
    }
    if (piece.size() > kept) {
        total_ += piece.size() - kept;
        piece.remove_prefix(piece.size() - kept);
    }
    const auto at = total_ % kept;
    const auto first = std::min(piece.size(), kept - at);
    std::memcpy(ring_.data() + at, piece.data(), first);
    std::memcpy(ring_.data(), piece.data() + first, piece.size() - first);
    total_ += piece.size();
}

TailTap::Figures TailTap::figures() const {
    std::string text;
    if (total_ <= kept) {
        text.assign(ring_.data(), total_);
    } else {
        const auto at = total_ % kept;
        text.assign(ring_.data() + at, kept - at);
        text.append(ring_.data(), at);
    }
    Figures found;
    found.tokens_per_second = number_after<double>(text, "\"predicted_per_second\"");
    for (const auto* name : {"\"completion_tokens\"", "\"output_tokens\"", "\"predicted_n\""}) {
        if (!found.completion_tokens) {
            found.completion_tokens = number_after<std::uint64_t>(text, name);
        }
    }
    return found;
}

}  // namespace routerd
