// Lets arbitrary bytes pass the tap that looks for figures at the end of an answer. A run fails
// when it finds others in some pieces than a plain search in the end of the whole text, or others
// once more text than it keeps went before.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/proxy/tail_tap.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using namespace routerd::fuzz;

constexpr auto kept = routerd::TailTap::kept;  // bytes of the end in which the tap finds figures

constexpr double most = 1LL << 53;  // of a figure

using Count = std::optional<std::uint64_t>;

struct Found {
    std::optional<double> rate;
    Count completion;
    Count prompt;

    bool operator==(const Found&) const = default;
};

/// All that this target knows of the tap.
Found tapped(std::string_view text, Pieces pieces) {
    routerd::TailTap tap;
    while (!text.empty()) {
        const auto length = pieces.next(text.size());
        length == text.size() ? tap.see_last(text) : tap.see(text.substr(0, length));
        tap.see({});
        text.remove_prefix(length);
    }
    const auto figures = tap.figures();
    return {figures.tokens_per_second, figures.completion_tokens, figures.prompt_tokens};
}

void skip_blanks(std::string_view& text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
}

/// The last number of this name.
template <class Number>
std::optional<Number> last_of(std::string_view text, const std::string& name) {
    const std::string key = '"' + name + '"';
    std::optional<Number> found;
    for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
        auto rest = text.substr(at + key.size());
        skip_blanks(rest);
        if (rest.starts_with(':')) {
            rest.remove_prefix(1);
            skip_blanks(rest);
            Number number{};
            const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
            const bool counts = read.ec == std::errc{} && rest.find_first_of("0123456789") == 0 &&
                                static_cast<double>(number) <= most;
            found = counts ? std::optional(number) : found;
        }
    }
    return found;
}

Count first_of(std::string_view text, std::initializer_list<const char*> names) {
    for (const auto* name : names) {
        if (const auto number = last_of<std::uint64_t>(text, name)) {
            return number;
        }
    }
    return std::nullopt;
}

/// What llama-server evaluated of a prompt is told apart from what it had in its cache.
Count prompt_in(std::string_view text) {
    auto count = first_of(text, {"prompt_tokens", "input_tokens"});
    if (!count) {
        count = last_of<std::uint64_t>(text, "prompt_n");
        if (count) {
            *count += last_of<std::uint64_t>(text, "cache_n").value_or(0);
        }
    }
    return count;
}

Found expected(std::string_view text) {
    const auto end = text.substr(text.size() - std::min(text.size(), kept));
    return {last_of<double>(end, "predicted_per_second"),
            first_of(end, {"completion_tokens", "output_tokens", "predicted_n"}), prompt_in(end)};
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
