#include "daemon/proxy/json_ends.hpp"

#include <array>
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
// spans(): from each set bit on to just before the next one: of quotes, what is inside strings.

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

inline std::uint64_t spans(std::uint64_t bits) noexcept {
    for (unsigned by = 1; by < block; by *= 2) {
        bits ^= bits << by;
    }
    return bits;
}

#include "daemon/proxy/json_ends.inc"

}  // namespace plain

#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,bmi,pclmul"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,pclmul")
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

inline std::uint64_t spans(std::uint64_t bits) noexcept {
    // A product without carries by all ones adds up the bits from each place down.
    const auto ones = _mm_set1_epi8(static_cast<char>(0xFF));
    const auto own = _mm_cvtsi64_si128(static_cast<long long>(bits));
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_clmulepi64_si128(own, ones, 0)));
}

#include "daemon/proxy/json_ends.inc"

}  // namespace wide

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

const std::array<JsonEnds, 2> all_ends{
    JsonEnds{plain::end_of_string, plain::end_of_nest},
    JsonEnds{wide::end_of_string, wide::end_of_nest},
};

/// How many of them this processor has.
const std::size_t usable = [] {
    __builtin_cpu_init();
    const bool is_wide = __builtin_cpu_supports("avx2") != 0 &&
                         __builtin_cpu_supports("bmi") != 0 &&
                         __builtin_cpu_supports("pclmul") != 0;
    return is_wide ? 2U : 1U;
}();
#else
const std::array<JsonEnds, 1> all_ends{JsonEnds{plain::end_of_string, plain::end_of_nest}};
constexpr std::size_t usable = 1;
#endif

const JsonEnds best = all_ends[usable - 1];

}  // namespace

std::size_t end_of_json_string(std::string_view text, std::size_t at) noexcept {
    return best.of_string(text.data(), text.size(), at);
}

std::size_t end_of_json_nest(std::string_view text, std::size_t at) noexcept {
    return best.of_nest(text.data(), text.size(), at);
}

std::span<const JsonEnds> all_json_ends() noexcept {
    return std::span(all_ends).first(usable);
}

}  // namespace routerd
