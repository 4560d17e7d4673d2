#include "daemon/catalog/file_name.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/base/number.hpp"
#include "common/base/text.hpp"

namespace routerd {
namespace {

constexpr std::string_view suffix = ".gguf";
constexpr std::size_t digits = 5;             // of "-00001-of-00003"
constexpr std::size_t tail = 2 * digits + 5;  // its length

bool ends_with(std::string_view name, std::string_view end) noexcept {
    return name.size() >= end.size() && iequals(name.substr(name.size() - end.size()), end);
}

std::string hash_name(std::string_view text) {
    std::uint32_t hash = 2166136261U;  // FNV-1a
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    }
    std::array<char, 16> name{};
    std::snprintf(name.data(), name.size(), "model-%08x", hash);
    return name.data();
}

}  // namespace

std::string_view base_name(std::string_view path) noexcept {
    return path.substr(path.rfind('/') + 1);
}

std::string_view parent_path(std::string_view path) noexcept {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

bool is_gguf_name(std::string_view name) noexcept {
    return ends_with(name, suffix) && name.size() > suffix.size() && name.front() != '.';
}

bool is_unfinished_name(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 9> ends{
        ".part",       ".partial",    ".tmp",
        ".temp",       ".incomplete", ".aria2",
        ".crdownload", ".download",   ".downloadinprogress",
    };
    return std::any_of(ends.begin(), ends.end(),
                       [name](std::string_view end) { return ends_with(name, end); });
}

std::string_view stem_of(std::string_view name) noexcept {
    return ends_with(name, suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

std::optional<SplitName> split_name(std::string_view name) {
    const auto stem = stem_of(name);
    if (stem.size() <= tail) {
        return std::nullopt;
    }
    const auto end = stem.substr(stem.size() - tail);
    const auto number = number_in<std::uint32_t>(end.substr(1, digits));
    const auto count = number_in<std::uint32_t>(end.substr(tail - digits));
    if (end.front() != '-' || end.substr(digits + 1, 4) != "-of-" || !number || !count ||
        *number == 0 || *number > *count) {
        return std::nullopt;
    }
    return SplitName{std::string(stem.substr(0, stem.size() - tail)), *number, *count};
}

std::string sibling_name(std::string_view name, std::uint32_t number) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%05u", number);
    std::string sibling(name);
    const auto begin = stem_of(name).size() - tail + 1;
    return sibling.replace(begin, digits, text.data());
}

std::optional<std::string> part_mismatch(std::string_view name, const gguf::Metadata& metadata) {
    const auto split = split_name(name);
    const std::uint32_t count = split ? split->count : 1;
    const std::uint32_t number = split ? split->number : 1;
    const std::uint32_t said = std::max<std::uint32_t>(metadata.split_count, 1);
    if (said == count && (count == 1 || metadata.split_no + 1U == number)) {
        return std::nullopt;
    }
    return "its name says part " + std::to_string(number) + " of " + std::to_string(count) +
           ", its metadata part " + std::to_string(metadata.split_no + 1U) + " of " +
           std::to_string(said);
}

std::string slug(std::string_view text) {
    std::string result;
    for (const char c : to_lower(text)) {
        const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
        if (kept) {
            result += c;
        } else if (!result.empty() && result.back() != '-') {
            result += '-';
        }
    }
    while (!result.empty() && (result.back() == '-' || result.back() == '.')) {
        result.pop_back();
    }
    while (!result.empty() && result.front() == '.') {
        result.erase(0, 1);
    }
    return result.empty() ? hash_name(text) : result;
}

}  // namespace routerd
