#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/base/result.hpp"
#include "daemon/pull/documents.hpp"

namespace routerd::pull {

/// A field of an answer's head, or empty; `name` in lower case. The view lives as long as
/// `document`.
std::string_view header_of(const Document& document, std::string_view name);

/// The body of an answer with status 200. Errors: upstream_error (another status, no JSON).
Result<nlohmann::json> json_of(const Document& document);

/// A member that is a string, or empty. Any JSON is fine.
std::string text_member(const nlohmann::json& json, const char* name);

/// A member that is a whole number from 0 on; nullopt: there is none.
std::optional<std::uint64_t> count_member(const nlohmann::json& json, const char* name);

/// 64 lower-case hexadecimal digits.
bool is_sha256(std::string_view text) noexcept;

/// The next page of a list, as its answer says (`Link: <…>; rel="next"`, RFC 8288); empty: none.
std::string_view next_page(const Document& document);

}  // namespace routerd::pull
