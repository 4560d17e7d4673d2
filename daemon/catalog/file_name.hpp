#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/gguf/metadata.hpp"

namespace routerd {

/// What comes after the last '/'.
std::string_view base_name(std::string_view path) noexcept;

/// What comes before it: "/a" of "/a/b", "" of "b".
std::string_view parent_path(std::string_view path) noexcept;

/// Ends in ".gguf", any case, with something before it; hidden files do not count.
bool is_gguf_name(std::string_view name) noexcept;

/// A name that download programs give to what is not complete: ".part", ".incomplete", ….
bool is_unfinished_name(std::string_view name) noexcept;

/// The name without ".gguf".
std::string_view stem_of(std::string_view name) noexcept;

/// One file of a split set: "qwen-00002-of-00003.gguf" is {"qwen", 2, 3}.
struct SplitName {
    std::string stem;
    std::uint32_t number = 0;  ///< from 1
    std::uint32_t count = 0;
};

/// nullopt for the name of a file that stands alone.
std::optional<SplitName> split_name(std::string_view name);

/// The name of another part of the same set, written as `name` is (the same suffix and case).
std::string sibling_name(std::string_view name, std::uint32_t number);

/// Why this file cannot be the part that its name says; nullopt when both agree.
std::optional<std::string> part_mismatch(std::string_view name, const gguf::Metadata& metadata);

/// Text made fit for an id: lower-case ASCII letters, digits, '.', '_' and '-'; runs of anything
/// else become one '-'. Never empty: text that leaves nothing is named by its hash.
std::string slug(std::string_view text);

}  // namespace routerd
