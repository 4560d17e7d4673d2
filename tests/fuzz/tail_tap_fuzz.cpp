// Lets arbitrary bytes pass the tap that looks for figures at the end of an answer. A run fails
// when it finds others in some pieces than a plain search in the end of the whole text, or others
// once more text than it keeps went before.
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/proxy/tail_tap.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using namespace routerd::fuzz;

constexpr std::size_t kept = 2048;  // bytes of the end in which the tap finds figures

struct Found {
    bool has_rate = false;
    double rate = 0;
    bool has_tokens = false;
    std::uint64_t tokens = 0;

    bool operator==(const Found& other) const {
        // Not by value: what is not a number is never the same.
        return has_rate == other.has_rate && has_tokens == other.has_tokens &&
               tokens == other.tokens && std::memcmp(&rate, &other.rate, sizeof rate) == 0;
    }
};

/// All that this target knows of the tap.
Found tapped(std::string_view text, Pieces pieces) {
    routerd::TailTap tap;
    while (!text.empty()) {
        const auto length = pieces.next(text.size());
        tap.see(text.substr(0, length));
        tap.see({});
        text.remove_prefix(length);
    }
    const auto figures = tap.figures();
    Found found;
    found.has_rate = figures.tokens_per_second.has_value();
    found.rate = figures.tokens_per_second.value_or(0);
    found.has_tokens = figures.completion_tokens.has_value();
    found.tokens = figures.completion_tokens.value_or(0);
    return found;
}

/// What stands behind the last `key` and its colon.
std::optional<std::string> behind_last(const std::string& text, const std::string& key) {
    for (std::size_t at = text.size(); at-- > 0;) {
        if (text[at] == '"' && text.compare(at, key.size(), key) == 0) {
            at += key.size();
            while (at < text.size() && std::strchr(": \t", text[at]) != nullptr && text[at] != 0) {
                ++at;
            }
            return text.substr(at);
        }
    }
    return std::nullopt;
}

template <class Number>
bool read_number(const std::optional<std::string>& text, Number& number) {
    return text &&
           std::from_chars(text->data(), text->data() + text->size(), number).ec == std::errc{};
}

Found expected(const std::string& text) {
    const auto end = text.substr(text.size() - std::min(text.size(), kept));
    Found found;
    found.has_rate = read_number(behind_last(end, "\"predicted_per_second\""), found.rate);
    found.rate = found.has_rate ? found.rate : 0;
    for (const auto* key : {"\"completion_tokens\"", "\"output_tokens\"", "\"predicted_n\""}) {
        found.has_tokens = found.has_tokens || read_number(behind_last(end, key), found.tokens);
    }
    found.tokens = found.has_tokens ? found.tokens : 0;
    return found;
}

void check(const std::string& text, const std::vector<Pieces>& ways) {
    const auto wanted = expected(text);
    for (const auto& pieces : ways) {
        require(tapped(text, pieces) == wanted, "the end of the text says it, however it came");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(text_of(data, size));
    const auto seed = number_of(text);
    check(text, {Pieces::whole(), Pieces::random(seed, 100)});
    // Where the ring of kept bytes begins anew is chance, and so is which key is cut in two there.
    const std::string filler(seed % (2 * kept), ' ');
    check(seed % 2 == 0 ? filler + text : text + filler, {Pieces::random(seed, 2 * kept)});
    return 0;
}
