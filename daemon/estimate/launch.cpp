#include "daemon/estimate/launch.hpp"

#include <algorithm>
#include <array>

#include "daemon/estimate/saturating.hpp"

namespace routerd {
namespace {

struct NamedType {
    std::string_view name;
    CacheType type;
};

// ggml-common.h: scales of two bytes and a block's packed elements
constexpr std::array<NamedType, 9> types{{
    {"f32", {1, 4}},
    {"f16", {1, 2}},
    {"bf16", {1, 2}},
    {"q8_0", {32, 34}},
    {"q4_0", {32, 18}},
    {"q4_1", {32, 20}},
    {"iq4_nl", {32, 18}},
    {"q5_0", {32, 22}},
    {"q5_1", {32, 24}},
}};

}  // namespace

std::uint64_t CacheType::row_bytes(std::uint64_t elements) const noexcept {
    return sat_mul(round_up(elements, block) / block, bytes);
}

std::optional<CacheType> cache_type(std::string_view name) noexcept {
    const auto* found = std::ranges::find(types, name, &NamedType::name);
    return found == types.end() ? std::nullopt : std::optional(found->type);
}

}  // namespace routerd
