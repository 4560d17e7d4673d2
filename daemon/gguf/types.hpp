#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace routerd::gguf {

/// The types of a value in the metadata, as numbered in the file.
enum class ValueType : std::uint32_t {
    u8,
    i8,
    u16,
    i16,
    u32,
    i32,
    f32,
    boolean,
    string,
    array,
    u64,
    i64,
    f64,
};

/// Bytes of one value in the file; 0 for strings and arrays and for what is no type.
std::uint64_t value_bytes(ValueType type) noexcept;

/// How a tensor's elements are packed.
struct TensorType {
    std::string_view name;
    std::uint64_t block = 1;  ///< elements in a block, never 0
    std::uint64_t bytes = 0;  ///< of a block
};

/// nullptr: not a type that this program knows.
const TensorType* tensor_type(std::uint32_t number) noexcept;

/// Numbers that may be given to types later: a newer llama-server may know one of these.
bool may_be_newer_tensor_type(std::uint32_t number) noexcept;

/// general.file_type as people write it: 15 is "Q4_K_M"; empty for what is not known.
std::string_view file_type_name(std::uint32_t number) noexcept;

/// The nominal bits per weight of a quantization's name: "Q4_K_M" and "iq4_xs" 4, "F16" 16,
/// "MXFP4" 4; nullopt when the name says nothing.
std::optional<unsigned> quantization_bits(std::string_view name) noexcept;

}  // namespace routerd::gguf
