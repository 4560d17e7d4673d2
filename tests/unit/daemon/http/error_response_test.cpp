#include "daemon/http/error_response.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(ErrorResponseTest, SpeaksEachDialect) {
    const auto error = Error(Errc::model_not_found, "there is no model 'x'").with_param("model");
    EXPECT_EQ(error_body(error, Dialect::openai),
              R"({"error":{"code":"model_not_found","message":"there is no model 'x'",)"
              R"("param":"model","type":"not_found_error"}})");
    EXPECT_EQ(
        error_body(error, Dialect::anthropic),
        R"({"error":{"message":"there is no model 'x'","type":"not_found_error"},"type":"error"})");
    EXPECT_EQ(error_body(error, Dialect::registry),
              R"({"details":{},"error":"ModelNotFound","message":"there is no model 'x'"})");
    EXPECT_TRUE(error_event(error, Dialect::anthropic).starts_with("event: error\ndata: {"));
}

TEST(ErrorResponseTest, EveryRefusalForNowSaysWhenToComeBack) {
    const auto full = error_response(
        Error(Errc::queue_full, "full").with_retry_after(std::chrono::seconds(7)), Dialect::openai);
    EXPECT_EQ(full.status, 503U);
    EXPECT_EQ(full.headers.at(0).first, "retry-after");
    EXPECT_EQ(full.headers.at(0).second, "7");
    EXPECT_EQ(error_response(Error(Errc::rate_limited, ""), Dialect::openai).headers.at(0).second,
              "1");
}

TEST(ErrorResponseTest, WhatWouldNotFitCarriesTheFigures) {
    const Fit fit{.required = (std::uint64_t{3} << 20U) + 1,
                  .available = (std::uint64_t{2} << 20U) + 1,
                  .loaded = {"a"}};
    const auto error = Error(Errc::would_not_fit, "no").with_fit(fit);
    const auto fields = std::string(
        R"("available_mb":2,"code":"would_not_fit","loaded_models":["a"],"message":"no",)");
    EXPECT_EQ(error_body(error, Dialect::openai),
              R"({"error":{)" + fields + R"("param":null,"required_mb":4,"type":"server_error"}})");
    EXPECT_NE(error_body(error, Dialect::registry).find(R"("required_mb":4)"), std::string::npos);
}

TEST(ErrorResponseTest, InternalFaultsAreNotTold) {
    const auto body = error_body(Error(Errc::internal, "secret path"), Dialect::openai);
    EXPECT_EQ(body.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace routerd
