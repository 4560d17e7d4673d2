#include "common/base/error.hpp"

#include <gtest/gtest.h>

#include "common/base/result.hpp"

namespace routerd {
namespace {

TEST(ErrorTest, ItsTextsOutliveAResultsTemporary) {
    const Result<int> result =
        Error(Errc::not_found, "a message too long to be kept in the object itself")
            .with_hint("a hint too long to be kept in the object itself")
            .with_param("a parameter too long to be kept in the object itself");
    const auto& message = result.error().message();
    const auto& hint = result.error().hint();
    const auto& param = result.error().param();
    EXPECT_EQ(message, "a message too long to be kept in the object itself");
    EXPECT_EQ(hint, "a hint too long to be kept in the object itself");
    EXPECT_EQ(param, "a parameter too long to be kept in the object itself");
}

TEST(ErrorTest, SaysWhatWasAttemptedFirst) {
    const auto error = Error(Errc::load_failed, "timed out").with_hint("wait").within("load 'a'");
    EXPECT_EQ(error.message(), "load 'a': timed out");
    EXPECT_EQ(error.hint(), "wait");
    EXPECT_EQ(error.code(), Errc::load_failed);
}

TEST(ErrorTest, EveryCodeHasItsWord) {
    for (int i = 0; i <= static_cast<int>(Errc::unreachable); ++i) {
        const auto code = static_cast<Errc>(i);
        EXPECT_EQ(errc_from_string(to_string(code)), code);
    }
    EXPECT_EQ(errc_from_string("no such word"), std::nullopt);
}

}  // namespace
}  // namespace routerd
