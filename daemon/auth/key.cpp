#include "daemon/auth/key.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

namespace routerd {
namespace {

constexpr std::string_view base64url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view hexadecimal = "0123456789abcdef";

/// Six bits a character; what is left at the end is padded with zero bits.
std::string to_base64url(const KeyDigest& bytes) {
    std::string text;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const auto byte : bytes) {
        bits = bits << 8U | byte;
        for (count += 8; count >= 6; count -= 6) {
            text += base64url[bits >> (count - 6) & 63U];
        }
    }
    if (count > 0) {
        text += base64url[bits << (6 - count) & 63U];
    }
    return text;
}

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { ::EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

}  // namespace

Result<std::string> new_key() {
    KeyDigest random{};
    // So few bytes come all at once (getrandom(2)).
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        return errno_error("get random bytes for a key", errno);
    }
    auto key = "sk-" + to_base64url(random);
    OPENSSL_cleanse(random.data(), random.size());
    return key;
}

KeyDigest digest_of(std::string_view key) noexcept {
    // EVP_sha256() would be looked up by its name, and a context made, for each request.
    static const EVP_MD* const sha256 = ::EVP_MD_fetch(nullptr, "SHA256", nullptr);
    static thread_local const Context context(::EVP_MD_CTX_new());
    KeyDigest digest{};
    // Fails only without memory; then no key is like it but by a chance of 1 in 2^256.
    const bool is_made = context != nullptr &&
                         ::EVP_DigestInit_ex2(context.get(), sha256, nullptr) == 1 &&
                         ::EVP_DigestUpdate(context.get(), key.data(), key.size()) == 1 &&
                         ::EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1;
    if (!is_made) {
        digest.fill(0);
    }
    return digest;
}

bool same_digest(const KeyDigest& one, const KeyDigest& other) noexcept {
    return ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string to_hex(const KeyDigest& digest) {
    std::string text;
    for (const auto byte : digest) {
        text += hexadecimal[byte >> 4U];
        text += hexadecimal[byte & 15U];
    }
    return text;
}

Result<KeyDigest> digest_from_hex(std::string_view text) {
    KeyDigest digest{};
    Error bad(Errc::invalid_request, "the digest of a key is not 64 hexadecimal digits");
    if (text.size() != 2 * digest.size()) {
        return bad;
    }
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto* begin = text.data() + 2 * i;
        const auto [stop, error] = std::from_chars(begin, begin + 2, digest[i], 16);
        if (error != std::errc() || stop != begin + 2) {
            return bad;
        }
    }
    return digest;
}

}  // namespace routerd
