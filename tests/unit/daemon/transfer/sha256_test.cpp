#include "daemon/transfer/sha256.hpp"

#include <algorithm>
#include <string_view>

#include <gtest/gtest.h>

namespace routerd::transfer {
namespace {

std::string digest_of_text(std::string_view text) {
    Sha256 digest;
    digest.update(text);
    return digest.finish();
}

// FIPS 180-4's examples (NIST, "SHA-256", one and two blocks), and of no byte at all.
TEST(Sha256Test, IsThatOfTheStandard) {
    EXPECT_EQ(digest_of_text("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(digest_of_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(Sha256().finish(),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256Test, DoesNotDependOnThePieces) {
    Sha256 whole;
    for (int i = 0; i < 1'000'000; i += 1'000) {
        whole.update(std::string(1'000, 'a'));
    }
    const auto digest = whole.finish();
    EXPECT_EQ(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    Sha256 pieces;
    std::size_t left = 1'000'000;
    for (std::size_t size = 0; left > 0; size = (size * 7 + 1) % 9'001) {
        const auto taken = std::min(size, left);
        pieces.update(std::string(taken, 'a'));
        left -= taken;
    }
    EXPECT_EQ(pieces.finish(), digest);
}

}  // namespace
}  // namespace routerd::transfer
