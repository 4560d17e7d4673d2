#pragma once

#include <memory>
#include <span>
#include <string>

namespace routerd::transfer {

/// SHA-256 (FIPS 180-4) of bytes as they come, by OpenSSL. One thread at a time.
class Sha256 {
  public:
    Sha256();
    void update(std::span<const char> bytes);

    /// 64 lower-case hexadecimal digits; nothing may be added afterwards.
    std::string finish();

  private:
    struct Free {
        void operator()(void* context) const noexcept;
    };
    std::unique_ptr<void, Free> context_;  // EVP_MD_CTX
};

}  // namespace routerd::transfer
