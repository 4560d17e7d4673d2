#include "daemon/auth/key.hpp"

#include <set>

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(KeyTest, HasThe256BitsOfTheSystem) {
    std::set<std::string> keys;
    std::set<char> characters;
    for (int i = 0; i < 100; ++i) {
        const auto key = new_key();
        ASSERT_TRUE(key);
        EXPECT_EQ(key->size(), 3U + 43U);
        EXPECT_TRUE(key->starts_with("sk-"));
        characters.insert(key->begin() + 3, key->end());
        keys.insert(*key);
    }
    EXPECT_EQ(keys.size(), 100U);
    EXPECT_EQ(characters.size(), 64U);  // all of base64url, in 4300 characters
}

TEST(KeyTest, ItsDigestIsSha256) {
    // FIPS 180-4, the example of "abc".
    EXPECT_EQ(to_hex(digest_of("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(*digest_from_hex(to_hex(digest_of("abc"))), digest_of("abc"));
    EXPECT_TRUE(same_digest(digest_of("abc"), digest_of("abc")));
    EXPECT_FALSE(same_digest(digest_of("abc"), digest_of("abd")));
}

TEST(KeyTest, RefusesWhatIsNoDigest) {
    const auto good = to_hex(digest_of("abc"));
    for (const auto& bad :
         {std::string(), good.substr(1), good + "0", "-" + good.substr(1), good.substr(1) + "g"}) {
        EXPECT_FALSE(digest_from_hex(bad)) << bad;
    }
}

}  // namespace
}  // namespace routerd
