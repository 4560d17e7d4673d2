#include "daemon/transfer/sha256.hpp"

#include <array>
#include <new>

#include <openssl/evp.h>

namespace routerd::transfer {
namespace {

EVP_MD_CTX* context_of(void* context) {
    return static_cast<EVP_MD_CTX*>(context);
}

void expect(int good) {
    if (good != 1) {
        throw std::bad_alloc();  // the one way in which a digest in memory can fail
    }
}

}  // namespace

void Sha256::Free::operator()(void* context) const noexcept {
    EVP_MD_CTX_free(context_of(context));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    expect(context_ != nullptr ? 1 : 0);
    expect(EVP_DigestInit_ex(context_of(context_.get()), EVP_sha256(), nullptr));
}

void Sha256::update(std::span<const char> bytes) {
    expect(EVP_DigestUpdate(context_of(context_.get()), bytes.data(), bytes.size()));
}

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    expect(EVP_DigestFinal_ex(context_of(context_.get()), digest.data(), &size));
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4U];
        text += digits[digest[i] & 0xFU];
    }
    return text;
}

}  // namespace routerd::transfer
