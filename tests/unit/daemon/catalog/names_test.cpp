#include "daemon/catalog/names.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace routerd {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Names, OfABrokenFileSayWhatIsWrongWithIt) {
    Snapshot snapshot;
    snapshot.broken = {{"/srv/models/other.gguf", "is empty"},
                       {"/srv/models/Tiny-Q4_K_M.gguf", "not a GGUF file:\n<html>"}};
    for (const std::string name : {"tiny-q4_k_m", "Tiny-Q4_K_M.gguf"}) {
        const auto model = model_named(snapshot, name);
        ASSERT_FALSE(model);
        const auto& error = model.error();
        EXPECT_EQ(error.code(), Errc::model_not_found);
        EXPECT_EQ(error.param(), "model");
        EXPECT_THAT(error.message(), HasSubstr("Tiny-Q4_K_M.gguf: not a GGUF file"));
        EXPECT_THAT(error.message(), Not(HasSubstr("/srv/models")));
        EXPECT_THAT(error.message(), Not(HasSubstr("\n")));
        EXPECT_THAT(error.hint(), HasSubstr("routerctl doctor"));
    }
    snapshot.broken.push_back({"/srv/models/big-00002-of-00003.gguf", "part 1 of 3 is missing"});
    EXPECT_THAT(model_named(snapshot, "big").error().message(), HasSubstr("part 1 of 3"));
    EXPECT_THAT(model_named(snapshot, "tiny").error().message(), HasSubstr("there is no model"));
}

}  // namespace
}  // namespace routerd
