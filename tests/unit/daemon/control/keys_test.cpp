#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ControlTest, MakesAKeyAndShowsItOnce) {
    std::string key;
    live([&key](Client& client) {
        const auto made = client.create_key(
            {.name = "ci", .scopes = {"read"}, .models = {"a"}, .expires_in = "2d"});
        ASSERT_TRUE(made) << made.error().message();
        key = made->key;
        EXPECT_THAT(key, StartsWith("sk-"));
        EXPECT_THAT(made->about.id, StartsWith("k-"));
        const auto list = client.keys();
        ASSERT_TRUE(list) << list.error().message();
        ASSERT_EQ(list->items.size(), 1U);
        EXPECT_EQ(list->items[0].id, made->about.id);
    });
    live([&key](Client& client) {  // the next daemon
        const auto list = client.keys();
        ASSERT_TRUE(list) << list.error().message();
        ASSERT_EQ(list->items.size(), 1U);
        const auto& item = list->items[0];
        EXPECT_EQ(item.name, "ci");
        EXPECT_THAT(item.scopes, ElementsAre("read"));
        EXPECT_THAT(item.models, ElementsAre("a"));
        EXPECT_EQ(*item.expires - item.created, std::chrono::hours(48));
        EXPECT_FALSE(item.expired);
        const auto gone = client.revoke_key(item.id);
        ASSERT_TRUE(gone) << gone.error().message();
        EXPECT_EQ(gone->name, "ci");
        EXPECT_TRUE(client.keys()->items.empty());
    });
}

TEST_F(ControlTest, AKeyIsForInferenceUnlessSaidOtherwise) {
    live([](Client& client) {
        const auto made = client.create_key({.name = "ci"});
        ASSERT_TRUE(made) << made.error().message();
        EXPECT_THAT(made->about.scopes, ElementsAre("inference"));
        EXPECT_FALSE(made->about.expires);
    });
}

TEST_F(ControlTest, RefusesKeysThatCannotBe) {
    live([](Client& client) {
        ASSERT_TRUE(client.create_key({.name = "ci"}));
        const auto code = [&client](const api::KeyRequest& request) {
            const auto made = client.create_key(request);
            return made ? Errc::internal : made.error().code();
        };
        EXPECT_EQ(code({.name = "ci"}), Errc::conflict);
        EXPECT_EQ(code({.name = ""}), Errc::invalid_request);
        EXPECT_EQ(code({.name = "-x"}), Errc::invalid_request);
        EXPECT_EQ(code({.name = "a\nb"}), Errc::invalid_request);
        EXPECT_EQ(code({.name = std::string(65, 'x')}), Errc::invalid_request);
        EXPECT_EQ(code({.name = "x", .scopes = {"all"}}), Errc::invalid_request);
        EXPECT_EQ(code({.name = "x", .models = {"nobody"}}), Errc::model_not_found);
        EXPECT_EQ(code({.name = "x", .expires_in = "0s"}), Errc::invalid_request);
        EXPECT_EQ(code({.name = "x", .expires_in = "soon"}), Errc::invalid_request);
        EXPECT_EQ(client.keys()->items.size(), 1U);
        const auto missing = client.revoke_key("cj");
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code(), Errc::not_found);
        EXPECT_THAT(missing.error().hint(), HasSubstr("'ci'"));
    });
}

}  // namespace
}  // namespace routerd::test
