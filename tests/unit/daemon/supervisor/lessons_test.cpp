#include "daemon/supervisor/lessons.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

Lesson lesson() {
    Lesson lesson{.fingerprint = "1 llama c=4096", .model = "1 llama", .correction = {}};
    Correction::Device host{.device = "host", .predicted = {}, .measured = {}};
    host.predicted.weights = 100;
    host.predicted.overhead = 22;
    host.measured.weights = 101;
    host.measured.overhead = ~0ULL;
    Correction::Device gpu{.device = "cuda:0", .predicted = {}, .measured = {}};
    gpu.measured.kv = 7;
    lesson.correction.devices = {host, gpu};
    return lesson;
}

TEST(LessonsTest, ComeBackAsTheyWereWrittenDown) {
    const auto row = to_row(lesson(), WallTime());
    const auto read = to_lesson(row);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->fingerprint, lesson().fingerprint);
    EXPECT_EQ(read->model, lesson().model);
    EXPECT_EQ(read->correction, lesson().correction);
}

class ForeignLessonTest : public testing::TestWithParam<const char*> {};

TEST_P(ForeignLessonTest, IsNoLesson) {
    auto row = to_row(lesson(), WallTime());
    row.figures = GetParam();
    const auto read = to_lesson(row);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().message().find("1 llama c=4096"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Figures, ForeignLessonTest,
    testing::Values("", "{", "null", "[]", R"({"version":1})", R"({"version":1,"devices":[]})",
                    R"({"version":2,"devices":[{"device":"host","predicted":{},"measured":{}}]})",
                    R"({"version":1,"devices":[{"device":"host","predicted":{}}]})",
                    R"({"version":1,"devices":[{"device":7,"predicted":{},"measured":{}}]})",
                    R"({"version":1,"devices":[{"device":"host","predicted":{},"measured":)"
                    R"({"weights":-1}}]})",
                    R"({"version":1,"devices":[{"device":"host","predicted":{},"measured":)"
                    R"({"colour":1}}]})"));

}  // namespace
}  // namespace routerd
