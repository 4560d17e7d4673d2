#include "daemon/store/corrections.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "daemon/store/open.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

WallTime learned_at(int seconds) {
    return WallTime(std::chrono::seconds(1'700'000'000 + seconds));
}

CorrectionRow row(const std::string& fingerprint, int seconds) {
    return {.fingerprint = fingerprint,
            .model = "model of " + fingerprint,
            .figures = "{}",
            .learned_at = learned_at(seconds)};
}

class CorrectionsTest : public testing::Test {
  protected:
    std::vector<std::string> kept() {
        const auto rows = corrections_.load_all();
        EXPECT_TRUE(rows);
        std::vector<std::string> names;
        for (const auto& kept : *rows) {
            names.push_back(kept.fingerprint);
        }
        return names;
    }

    test::TempDir dir_;
    OpenedDatabase opened_ = std::move(*open_state_database(dir_ / "state.db"));
    CorrectionRepository corrections_{opened_.database, 3};
};

TEST_F(CorrectionsTest, ComeBackAsTheyWere) {
    auto first = row("a", 1);
    first.figures = R"({"version":1})";
    ASSERT_TRUE(corrections_.put(first));
    const auto rows = corrections_.load_all();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ(rows->front().model, "model of a");
    EXPECT_EQ(rows->front().figures, R"({"version":1})");
    EXPECT_EQ(rows->front().learned_at, learned_at(1));
}

TEST_F(CorrectionsTest, AreReplacedAndTheOldestDropped) {
    for (const auto& [name, seconds] : {std::pair("a", 1), {"b", 2}, {"c", 3}, {"a", 4}}) {
        ASSERT_TRUE(corrections_.put(row(name, seconds)));
    }
    EXPECT_EQ(kept(), (std::vector<std::string>{"b", "c", "a"})) << "the oldest first";
    ASSERT_TRUE(corrections_.put(row("d", 5)));
    EXPECT_EQ(kept(), (std::vector<std::string>{"c", "a", "d"}));
}

}  // namespace
}  // namespace routerd
