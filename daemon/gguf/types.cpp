#include "daemon/gguf/types.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"

namespace routerd::gguf {
namespace {

constexpr std::uint32_t newest_tensor_type = 41;
constexpr std::uint32_t tensor_type_limit = 128;

// By number, from the format's definition in ggml; a name that is empty was never or is no longer
// a type that a file may use.
constexpr std::array<TensorType, newest_tensor_type + 1> tensor_types{{
    {"F32", 1, 4},        {"F16", 1, 2},       {"Q4_0", 32, 18},     {"Q4_1", 32, 20},
    {"", 1, 0},           {"", 1, 0},          {"Q5_0", 32, 22},     {"Q5_1", 32, 24},
    {"Q8_0", 32, 34},     {"Q8_1", 32, 36},    {"Q2_K", 256, 84},    {"Q3_K", 256, 110},
    {"Q4_K", 256, 144},   {"Q5_K", 256, 176},  {"Q6_K", 256, 210},   {"Q8_K", 256, 292},
    {"IQ2_XXS", 256, 66}, {"IQ2_XS", 256, 74}, {"IQ3_XXS", 256, 98}, {"IQ1_S", 256, 50},
    {"IQ4_NL", 32, 18},   {"IQ3_S", 256, 110}, {"IQ2_S", 256, 82},   {"IQ4_XS", 256, 136},
    {"I8", 1, 1},         {"I16", 1, 2},       {"I32", 1, 4},        {"I64", 1, 8},
    {"F64", 1, 8},        {"IQ1_M", 256, 56},  {"BF16", 1, 2},       {"", 1, 0},
    {"", 1, 0},           {"", 1, 0},          {"TQ1_0", 256, 54},   {"TQ2_0", 256, 66},
    {"", 1, 0},           {"", 1, 0},          {"", 1, 0},           {"MXFP4", 32, 17},
    {"NVFP4", 64, 36},    {"Q1_0", 128, 18},
}};

// general.file_type by number, from llama.h; gaps are types that were removed.
constexpr std::array<std::string_view, 41> file_types{
    "F32",   "F16",     "Q4_0",   "Q4_1",   "",       "",        "",       "Q8_0",   "Q5_0",
    "Q5_1",  "Q2_K",    "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S",  "Q4_K_M", "Q5_K_S", "Q5_K_M",
    "Q6_K",  "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS", "IQ1_S",  "IQ4_NL", "IQ3_S",
    "IQ3_M", "IQ2_S",   "IQ2_M",  "IQ4_XS", "IQ1_M",  "BF16",    "",       "",       "",
    "TQ1_0", "TQ2_0",   "MXFP4",  "NVFP4",  "Q1_0",
};

}  // namespace

std::uint64_t value_bytes(ValueType type) noexcept {
    constexpr std::array<std::uint64_t, 13> bytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    const auto number = static_cast<std::size_t>(type);
    return number < bytes.size() ? bytes.at(number) : 0;
}

const TensorType* tensor_type(std::uint32_t number) noexcept {
    if (number >= tensor_types.size() || tensor_types.at(number).bytes == 0) {
        return nullptr;
    }
    return &tensor_types.at(number);
}

bool may_be_newer_tensor_type(std::uint32_t number) noexcept {
    return number > newest_tensor_type && number < tensor_type_limit;
}

std::string_view file_type_name(std::uint32_t number) noexcept {
    return number < file_types.size() ? file_types.at(number) : std::string_view();
}

std::optional<unsigned> quantization_bits(std::string_view name) noexcept {
    constexpr std::array<std::pair<std::string_view, unsigned>, 7> whole{{
        {"F64", 64},
        {"F32", 32},
        {"F16", 16},
        {"BF16", 16},
        {"FP16", 16},
        {"MXFP4", 4},
        {"NVFP4", 4},
    }};
    for (const auto& [prefix, bits] : whole) {
        if (name.size() >= prefix.size() && iequals(name.substr(0, prefix.size()), prefix)) {
            return bits;
        }
    }
    for (const std::string_view prefix : {"IQ", "TQ", "Q"}) {
        const auto digit = prefix.size();
        if (name.size() > digit && iequals(name.substr(0, digit), prefix) && name[digit] >= '1' &&
            name[digit] <= '8') {
            return static_cast<unsigned>(name[digit] - '0');
        }
    }
    return std::nullopt;
}

}  // namespace routerd::gguf
