#include "daemon/catalog/traits.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "common/base/text.hpp"
#include "daemon/gguf/types.hpp"

namespace routerd {
namespace {

constexpr std::uint32_t pooling_none = 0;  // LLAMA_POOLING_TYPE_…
constexpr std::uint32_t pooling_rank = 4;
constexpr double billion = 1e9;

bool is_separator(char c) noexcept {
    return c == '-' || c == '_' || c == '.' || c == ' ';
}

bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Whether all of `text` is a quantization: "Q4_K_M", "iq2_xs", "f16".
bool is_quantization(std::string_view text) {
    constexpr std::array<std::string_view, 8> whole{"f64",  "f32",   "f16",       "bf16",
                                                    "fp16", "mxfp4", "mxfp4_moe", "nvfp4"};
    const auto lower = to_lower(text);
    if (std::find(whole.begin(), whole.end(), lower) != whole.end()) {
        return true;
    }
    if (!gguf::quantization_bits(lower) || (lower[0] != 'q' && lower[1] != 'q')) {
        return false;
    }
    const auto digit = lower.find_first_of("12345678");
    return digit + 1 == lower.size() || lower[digit + 1] == '_';
}

/// A number with its unit at the front of `text`: "7b", "1.5b", "8x7b", "135m".
std::optional<double> count_at(std::string_view text) {
    double value = 0;
    const auto* end = text.data() + text.size();
    auto [stop, failure] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (failure != std::errc() || stop == end || value < 0) {
        return std::nullopt;
    }
    const auto rest = text.substr(static_cast<std::size_t>(stop - text.data()));
    if (rest.empty()) {
        return std::nullopt;
    }
    const char unit = to_lower(rest.substr(0, 1)).front();
    if (unit == 'x') {
        const auto each = count_at(rest.substr(1));
        return each ? std::optional(value * *each) : std::nullopt;
    }
    if ((unit != 'b' && unit != 'm') || (rest.size() > 1 && is_word(rest[1]) && rest[1] != '_')) {
        return std::nullopt;
    }
    return value * (unit == 'b' ? billion : 1e6);
}

}  // namespace

std::string quantization_in(std::string_view stem) {
    for (auto at = stem.size(); at-- > 0;) {
        if (at > 0 && !is_separator(stem[at - 1])) {
            continue;
        }
        const auto rest = stem.substr(at);
        const auto end = std::find_if_not(rest.begin(), rest.end(), is_word);
        const auto word = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
        if (word.size() < 2 || !is_quantization(word)) {
            continue;
        }
        const bool dynamic = at >= 3 && iequals(stem.substr(at - 3, 3), "ud-") &&
                             (at == 3 || is_separator(stem[at - 4]));
        return std::string(stem.substr(dynamic ? at - 3 : at, word.size() + (dynamic ? 3 : 0)));
    }
    return {};
}

std::uint64_t parameters_in(std::string_view stem) {
    for (std::size_t at = 0; at < stem.size(); ++at) {
        const bool begins = at == 0 || is_separator(stem[at - 1]);
        // "llama3.2-1b" holds 3.2 too, but with no unit behind it.
        if (!begins || !is_digit(stem[at])) {
            continue;
        }
        if (const auto count = count_at(stem.substr(at)); count && *count < 1e15) {
            return static_cast<std::uint64_t>(std::llround(*count));
        }
    }
    return 0;
}

bool thinking_in(std::string_view stem) {
    constexpr std::array<std::string_view, 6> marks{"thinking", "reasoning", "reasoner",
                                                    "qwq",      "r1",        "magistral"};
    const auto lower = to_lower(stem);
    return std::any_of(marks.begin(), marks.end(), [&lower](std::string_view mark) {
        for (auto at = lower.find(mark); at != std::string::npos; at = lower.find(mark, at + 1)) {
            const auto end = at + mark.size();
            if ((at == 0 || is_separator(lower[at - 1])) &&
                (end == lower.size() || is_separator(lower[end]))) {
                return true;
            }
        }
        return false;
    });
}

std::string quantization_of(const gguf::Metadata& metadata, std::string_view stem) {
    return metadata.quantization.empty() ? quantization_in(stem) : metadata.quantization;
}

std::uint64_t parameters_of(const gguf::Metadata& metadata, std::string_view stem) {
    if (metadata.parameters != 0) {
        return metadata.parameters;
    }
    const auto label = parameters_in(metadata.size_label);
    return label != 0 ? label : parameters_in(stem);
}

bool thinking_of(const gguf::Metadata& metadata, std::string_view stem) {
    return metadata.chat_template_bytes != 0 ? metadata.thinking : thinking_in(stem);
}

Tier tier_of(std::uint64_t parameters, std::string_view quantization, bool thinking,
             const TiersConfig& tiers) {
    const double billions = static_cast<double>(parameters) / billion;
    if (thinking || billions >= tiers.powerful_from) {
        return Tier::powerful;
    }
    const auto bits = gguf::quantization_bits(
        quantization.starts_with("UD-") ? quantization.substr(3) : quantization);
    const bool coarse = bits && *bits >= 2 && *bits <= 4;
    return coarse && billions < tiers.fast_below ? Tier::fast : Tier::balanced;
}

Capabilities capabilities_of(const gguf::Metadata& metadata, bool sees, bool thinking) {
    constexpr std::array<std::string_view, 3> encoders{"gemma-embedding", "t5encoder", "clip"};
    const auto& architecture = metadata.architecture;
    const bool encodes =
        architecture.find("bert") != std::string::npos ||
        std::find(encoders.begin(), encoders.end(), architecture) != encoders.end();
    const auto pooling = metadata.pooling_type.value_or(pooling_none);
    Capabilities can;
    can.rerank = pooling == pooling_rank;
    can.embedding = !can.rerank && (pooling != pooling_none || encodes);
    can.completion = !can.rerank && !can.embedding;
    can.vision = sees;
    can.tools = can.completion && metadata.tools;
    can.thinking = can.completion && thinking;
    return can;
}

}  // namespace routerd
