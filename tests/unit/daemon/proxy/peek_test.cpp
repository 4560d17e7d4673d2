#include "daemon/proxy/peek.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

Result<Peeked> peek_at(std::string body) {
    return peek(body);
}

TEST(PeekTest, FindsTheTopLevelFieldsAmongDecoys) {
    const auto peeked = peek_at(
        R"({"messages":[{"content":"\"model\":\"decoy\"","model":"decoy"}],"stream":true,"model":"caf\u00e9"})");
    ASSERT_TRUE(peeked);
    EXPECT_EQ(peeked->model, "café");
    EXPECT_TRUE(peeked->stream);
}

TEST(PeekTest, NoModelAndNullAreTheSame) {
    EXPECT_FALSE(peek_at("{}")->model);
    EXPECT_FALSE(peek_at(R"({"model":null,"stream":null})")->model);
    EXPECT_EQ(peek_at(R"({"model":""})")->model, "");
}

TEST(PeekTest, TheLastOfTwoCounts) {
    EXPECT_EQ(peek_at(R"({"model":"a","model":"b"})")->model, "b");
}

class NotARequest : public testing::TestWithParam<const char*> {};

TEST_P(NotARequest, IsRefused) {
    const auto peeked = peek_at(GetParam());
    ASSERT_FALSE(peeked);
    EXPECT_EQ(peeked.error().code(), Errc::invalid_request);
}

INSTANTIATE_TEST_SUITE_P(All, NotARequest,
                         testing::Values("", "   ", "[]", "\"x\"", "42", "{", "{\"model\"",
                                         "{\"model\":", "{\"model\":\"a\"", "{model:1}",
                                         "{\"model\":1}", "{\"model\":[]}", "{\"a\":[1,2}",
                                         "{\"model\":\"a\"} x", "{\"model\":\"a\"}{}",
                                         "{\"model\":\"\xff\"}", "{\"model\":nul}"));

TEST(RewriteTest, SplicesAndLeavesTheRestAsItCame) {
    std::string body = R"({ "model" : "a",  "temperature":0.1, "messages":[ {"x" : 1} ] })";
    const auto changed = rewrite_fields(body, {{"temperature", "0.7"}, {"top_k", "3"}}, {"model"});
    ASSERT_TRUE(changed);
    EXPECT_EQ(*changed, R"({"messages":[ {"x" : 1} ],"temperature":0.7,"top_k":3})");
}

}  // namespace
}  // namespace routerd
