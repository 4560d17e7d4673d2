#pragma once

#include <array>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace routerd {

/// SHA-256 of a key. A key has 256 random bits, so that a digest without salt or rounds says
/// nothing of it, and costs a request a microsecond.
using KeyDigest = std::array<unsigned char, 32>;

/// "sk-" and 43 characters of base64url (RFC 4648, section 5): 256 bits of the system's randomness.
/// Errors: unavailable.
Result<std::string> new_key();

KeyDigest digest_of(std::string_view key) noexcept;

/// Takes the same time wherever they differ.
bool same_digest(const KeyDigest& one, const KeyDigest& other) noexcept;

std::string to_hex(const KeyDigest& digest);

/// Errors: invalid_request.
Result<KeyDigest> digest_from_hex(std::string_view text);

}  // namespace routerd
