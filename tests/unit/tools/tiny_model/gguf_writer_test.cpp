#include "tools/tiny_model/gguf_writer.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace routerd::tiny_model {
namespace {

using namespace std::string_view_literals;

class GgufWriterTest : public testing::Test {
  protected:
    ~GgufWriterTest() override { std::filesystem::remove_all(folder_); }

    std::string path() const { return folder_ + "/x.gguf"; }
    std::string content() const {
        std::ifstream file(path(), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::string folder_ = [] {
        auto name = testing::TempDir() + "gguf-XXXXXX";
        return std::string(::mkdtemp(name.data()));
    }();
    GgufWriter writer_;
};

TEST_F(GgufWriterTest, WritesTheHeadByteForByte) {
    writer_.add("k", 7U);
    writer_.add("s", "abc");
    ASSERT_TRUE(writer_.write(path()));
    const auto bytes = content();
    EXPECT_EQ(bytes.substr(0, 65),
              "GGUF\3\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
              "\1\0\0\0\0\0\0\0k\4\0\0\0\7\0\0\0"
              "\1\0\0\0\0\0\0\0s\10\0\0\0\3\0\0\0\0\0\0\0abc"sv);
    EXPECT_EQ(bytes.substr(65), std::string(31, '\0')) << "data starts at a multiple of 32";
}

TEST_F(GgufWriterTest, AlignsEveryTensor) {
    writer_.add_tensor("a", {1}, {1.0F});
    writer_.add_tensor("b", {1}, {2.0F});
    const auto size = writer_.write(path());
    ASSERT_TRUE(size);
    const auto bytes = content();
    ASSERT_EQ(bytes.size(), *size);
    EXPECT_EQ(bytes.substr(bytes.size() - 64, 4), "\0\0\x80\x3f"sv);
    EXPECT_EQ(bytes.substr(bytes.size() - 32, 4), "\0\0\0\x40"sv);
}

TEST_F(GgufWriterTest, ZeroTensorsTakeNoDiskSpace) {
    writer_.add_zero_tensor("big", {1024, 1024, 64}, ElementType::f16);
    const auto size = writer_.write(path());
    ASSERT_TRUE(size);
    EXPECT_GT(*size, 128ULL << 20U);
    struct stat status {};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_LT(status.st_blocks * 512, 1 << 20);
}

TEST_F(GgufWriterTest, LeavesNothingBehindWhenItFails) {
    std::filesystem::create_directory(path());  // cannot be replaced by a file
    EXPECT_FALSE(writer_.write(path()));
    EXPECT_FALSE(std::filesystem::exists(path() + ".part"));
}

}  // namespace
}  // namespace routerd::tiny_model
