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

std::string opening_of(std::string body) {
    EXPECT_TRUE(peek(body)) << body;
    return std::string(opening_padded(body));
}

TEST(PeekTest, TheOpeningOfAConversationStaysTheSameAsItGrows) {
    const std::string first = R"({"role":"system","content":"Be \"user\" kind"})";
    const std::string second = R"({"role": "user", "content": "Hello"})";
    const auto body = [&](const std::string& rest) {
        return R"({"messages":[)" + first + "," + second + rest + R"(],"model":"a"})";
    };
    EXPECT_EQ(opening_of(body("")), first + "," + second);
    EXPECT_EQ(opening_of(body(R"(,{"role":"assistant","content":"Hi"},{"role":"user"})")),
              first + "," + second);
    EXPECT_EQ(opening_of(R"({"messages":[)" + second + "]}"), second);
    EXPECT_EQ(peek_at(body(R"(,{"role":"assistant"})"))->model, "a") << "the rest is skipped";
}

TEST(PeekTest, FindsTheOpeningOfPromptsAndInputs) {
    EXPECT_EQ(opening_of(R"({"prompt":"Once upon"})"), R"("Once upon")");
    EXPECT_EQ(opening_of(R"({"input":[{"role":"user","content":"x"}]})"),
              R"({"role":"user","content":"x"})");
    EXPECT_EQ(opening_of(R"({"prompt":")" + std::string(5000, 'x') + R"("})").size(), 512U);
    EXPECT_EQ(opening_of(R"({"prompt":[1,2,3]})"), "1,2,3");
    EXPECT_EQ(opening_of(R"({"messages":null,"prompt":7})"), "");
    EXPECT_EQ(opening_of(R"({"messages":[]})"), "");
}

TEST(PeekTest, NumbersConversations) {
    EXPECT_EQ(conversation_of(""), 0U);
    EXPECT_NE(conversation_of("a"), 0U);
    EXPECT_EQ(conversation_of("a"), conversation_of("a"));
    EXPECT_NE(conversation_of("a"), conversation_of("b"));
}

TEST(PeekTest, LeavesWhatIsBehindALargeBodysObjectToTheServer) {
    const std::string rest(100'000, 'x');
    EXPECT_EQ(peek_at(R"({"model":"a","messages":[]})" + rest)->model, "a");
    EXPECT_EQ(peek_at(R"({"model":"}a\"]"})" + rest)->model, "}a\"]");
    EXPECT_EQ(peek_at(R"({"model":"a"})" + rest + "}")->model, "a");
    EXPECT_FALSE(peek_at(R"({"model":"a")" + rest));
}

TEST(PeekTest, WhatLiesBehindTheBodyHasNoInfluence) {
    for (const char behind : {'}', '"', ' ', '\0', ',', ']'}) {
        std::string text = R"({"modes":"":[]})";
        const auto size = text.size();
        text += std::string(peek_padding, behind);
        EXPECT_FALSE(peek_padded(std::string_view(text).substr(0, size))) << behind;
        EXPECT_EQ(text[size], behind) << "it is put back";
        std::string whole = R"({"model":"a"})" + std::string(peek_padding, behind);
        EXPECT_EQ(peek_padded(std::string_view(whole).substr(0, 13))->model, "a") << behind;
    }
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
