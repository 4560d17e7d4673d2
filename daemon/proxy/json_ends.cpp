#include "daemon/proxy/json_ends.hpp"

#include <cstdint>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace routerd {
namespace {

constexpr std::size_t block = 64;  // bytes that are looked at together, a bit for each
constexpr char other_case = 0x20;  // makes '{' of '[', and '}' of ']'; of nothing else
constexpr auto none = std::string_view::npos;
static_assert(json_padding >= block);

// where(): the bytes of the block at `from` that are `wanted`, once they have the bits of `added`.

namespace plain {

#ifdef __x86_64__
inline std::uint64_t where(const char* from, char wanted, char added = 0) noexcept {
    const auto sought = _mm_set1_epi8(wanted);
    const auto bits = _mm_set1_epi8(added);
    std::uint64_t found = 0;
#pragma GCC unroll 4
    for (unsigned at = 0; at < block; at += sizeof(__m128i)) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at));
        const auto same = _mm_cmpeq_epi8(_mm_or_si128(bytes, bits), sought);
        found |= std::uint64_t{static_cast<std::uint32_t>(_mm_movemask_epi8(same))} << at;
    }
    return found;
}
#else
inline std::uint64_t where(const char* from, char wanted, char added = 0) noexcept {
    std::uint64_t found = 0;
    for (unsigned at = 0; at < block; ++at) {
        found |= std::uint64_t{static_cast<char>(from[at] | added) == wanted} << at;
    }
    return found;
}
#endif

#include "daemon/proxy/json_ends.inc"

}  // namespace plain

#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,bmi"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi")
#endif

namespace wide {

inline std::uint64_t where(const char* from, char wanted, char added = 0) noexcept {
    const auto sought = _mm256_set1_epi8(wanted);
    const auto bits = _mm256_set1_epi8(added);
    std::uint64_t found = 0;
#pragma GCC unroll 2
    for (unsigned at = 0; at < block; at += sizeof(__m256i)) {
        const auto bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at));
        const auto same = _mm256_cmpeq_epi8(_mm256_or_si256(bytes, bits), sought);
        found |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(same))} << at;
    }
    return found;
}

#include "daemon/proxy/json_ends.inc"

}  // namespace wide

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const bool is_wide = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0;
}();
#else
namespace wide = plain;
constexpr bool is_wide = false;
#endif

}  // namespace

std::size_t end_of_json_string(std::string_view text, std::size_t at) noexcept {
    const auto find = is_wide ? wide::end_of_string : plain::end_of_string;
    return find(text.data(), text.size(), at);
}

std::size_t end_of_json_nest(std::string_view text, std::size_t at) noexcept {
    const auto find = is_wide ? wide::end_of_nest : plain::end_of_nest;
    return find(text.data(), text.size(), at);
}

std::size_t narrow::end_of_json_string(std::string_view text, std::size_t at) noexcept {
    return plain::end_of_string(text.data(), text.size(), at);
}

std::size_t narrow::end_of_json_nest(std::string_view text, std::size_t at) noexcept {
    return plain::end_of_nest(text.data(), text.size(), at);
}

}  // namespace routerd
