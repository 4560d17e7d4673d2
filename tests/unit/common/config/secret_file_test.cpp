#include "common/config/secret_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SecretFileTest : public testing::Test {
  protected:
    std::string file(const std::string& text, mode_t mode = 0600) {
        auto path = folder_.write("keys", text);
        ::chmod(path.c_str(), mode);
        return path;
    }

    static std::string problem(const std::string& path) {
        const auto read = read_secret_file(path);
        return read ? "" : read.error().message();
    }

    test::TempDir folder_;
};

TEST_F(SecretFileTest, TakesOneALineWithoutComments) {
    const auto read = read_secret_file(file("# first\n\n  sk-a\t\r\nsk-b"));
    ASSERT_TRUE(read);
    EXPECT_THAT(*read, ElementsAre("sk-a", "sk-b"));
}

TEST_F(SecretFileTest, SaysWhatIsNoUse) {
    EXPECT_THAT(problem(file("k", 0640)), HasSubstr("others than its owner can read it"));
    EXPECT_THAT(problem(file("# k\n \n")), HasSubstr("there is no key in it"));
    EXPECT_THAT(problem(file("a b\n")), HasSubstr("has white space or control characters"));
    EXPECT_THAT(problem(file(std::string("a\0b\n", 4))), HasSubstr("control characters"));
    EXPECT_THAT(problem(folder_ / "missing"), HasSubstr("No such file"));
    ASSERT_EQ(::mkdir((folder_ / "folder").c_str(), 0700), 0);
    EXPECT_THAT(problem(folder_ / "folder"), HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace routerd
