#include "daemon/transfer/part_file.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/transfer/whole_file.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::transfer {
namespace {

namespace fs = std::filesystem;
using Begin = PartFile::Begin;

class PartFileTest : public testing::Test {
  protected:
    std::string path(const std::string& below) const { return root() + "/" + below; }
    std::string root() const { return dir_.path() + "/root"; }

    static void write(const std::string& file, const std::string& text) {
        fs::create_directories(fs::path(file).parent_path());
        std::ofstream(file) << text;
    }
    static std::string read(const std::string& file) {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    PartFile opened(const std::string& below, Begin begin = Begin::fresh) const {
        auto file = PartFile::open(root(), below, begin);
        EXPECT_TRUE(file) << file.error().message();
        return std::move(*file);
    }

    test::TempDir dir_;
};

TEST_F(PartFileTest, IsNotThereUnderItsNameBeforeItIsPublished) {
    auto file = opened("org/repo/a.gguf");
    ASSERT_TRUE(file.allocate(4096));
    ASSERT_TRUE(file.write(3, std::string("lo")));
    ASSERT_TRUE(file.write(0, std::string("hel")));
    EXPECT_FALSE(fs::exists(path("org/repo/a.gguf")));
    ASSERT_TRUE(file.publish(5));
    EXPECT_EQ(read(path("org/repo/a.gguf")), "hello");
    EXPECT_FALSE(fs::exists(path("org/repo/a.gguf.part")));
}

TEST_F(PartFileTest, TakesAlignedAndOtherPiecesAlike) {
    constexpr auto page = PartFile::alignment;
    struct alignas(PartFile::alignment) Pages {
        std::array<char, 4 * PartFile::alignment> data;
    };
    const auto pages = std::make_unique<Pages>();
    for (std::size_t i = 0; i < pages->data.size(); ++i) {
        pages->data[i] = static_cast<char>('a' + i % 23);
    }
    auto* const begin = pages->data.data();
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{page}, std::uint64_t{100}}) {
        auto file = opened("a.gguf");
        std::vector<iovec> pieces{{begin, page},
                                  {begin + page, page},
                                  {begin + 2 * page, 17},
                                  {begin + 2 * page + 17, page}};
        ASSERT_TRUE(file.write(offset, pieces));
        std::string text(3 * page + 17, ' ');
        ASSERT_TRUE(file.read(offset, text));
        EXPECT_TRUE(text == std::string(begin, text.size())) << offset;
    }
}

TEST_F(PartFileTest, GoesOnWithWhatIsThere) {
    ASSERT_TRUE(opened("a.gguf").write(0, std::string("hello")));
    auto file = opened("a.gguf", Begin::resume);
    std::string text(5, ' ');
    ASSERT_TRUE(file.read(0, text));
    EXPECT_EQ(text, "hello");
    EXPECT_FALSE(file.read(1, text)) << "it ends before";
    EXPECT_EQ(opened("a.gguf").size(), 0U) << "fresh";
    const auto none = PartFile::open(root(), "b.gguf", Begin::resume);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code(), Errc::not_found);
}

TEST_F(PartFileTest, NeverWritesOverAFile) {
    write(path("a.gguf"), "mine");
    auto file = opened("a.gguf");
    ASSERT_TRUE(file.write(0, std::string("other")));
    const auto published = file.publish(5);
    ASSERT_FALSE(published);
    EXPECT_EQ(published.error().code(), Errc::conflict);
    EXPECT_EQ(read(path("a.gguf")), "mine");
    EXPECT_EQ(read(path("a.gguf.part")), "other") << "nothing is lost";
}

TEST_F(PartFileTest, FollowsNoLink) {
    const auto elsewhere = dir_.path() + "/elsewhere";
    write(elsewhere + "/victim", "mine");
    fs::create_directories(root());
    fs::create_symlink(elsewhere + "/victim", path("a.gguf.part"));
    fs::create_directory_symlink(elsewhere, path("org"));
    for (const auto begin : {Begin::fresh, Begin::resume}) {
        const auto file = PartFile::open(root(), "a.gguf", begin);
        ASSERT_FALSE(file);
        EXPECT_EQ(file.error().code(), Errc::conflict) << file.error().message();
        const auto below = PartFile::open(root(), "org/b.gguf", begin);
        ASSERT_FALSE(below);
        EXPECT_EQ(below.error().code(), Errc::conflict) << below.error().message();
    }
    EXPECT_EQ(read(elsewhere + "/victim"), "mine");
    EXPECT_FALSE(fs::exists(elsewhere + "/b.gguf.part"));
    EXPECT_FALSE(remove_part(root(), "a.gguf"));
    EXPECT_TRUE(fs::is_symlink(path("a.gguf.part")));
}

TEST_F(PartFileTest, SharesNoFileWithAnotherName) {
    write(path("other"), "mine");
    fs::create_hard_link(path("other"), path("a.gguf.part"));
    const auto file = PartFile::open(root(), "a.gguf", Begin::resume);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), Errc::conflict);
    EXPECT_EQ(opened("a.gguf").size(), 0U) << "a fresh one takes the other's place in the folder";
    EXPECT_EQ(read(path("other")), "mine");
}

TEST_F(PartFileTest, IsRemoved) {
    ASSERT_TRUE(opened("org/a.gguf").write(0, std::string("x")));
    EXPECT_TRUE(remove_part(root(), "org/a.gguf"));
    EXPECT_FALSE(fs::exists(path("org/a.gguf.part")));
    EXPECT_TRUE(remove_part(root(), "org/a.gguf")) << "nothing to do";
    EXPECT_TRUE(remove_part(root(), "never/there.gguf"));
    EXPECT_FALSE(fs::exists(path("never")));
}

TEST_F(PartFileTest, LooksBeforeItFillsADisk) {
    EXPECT_TRUE(expect_room(root(), 4096)) << "the folder need not exist";
    const auto room = expect_room(root(), std::uint64_t{1} << 60U);
    ASSERT_FALSE(room);
    EXPECT_EQ(room.error().code(), Errc::would_not_fit);
}

TEST_F(PartFileTest, LooksAtWholeFiles) {
    write(path("org/a.gguf"), "abc");
    const auto found = look_at(root(), "org/a.gguf", WithDigest::yes);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->size, 3U);
    // FIPS 180-4's own example.
    EXPECT_EQ((*found)->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const auto none = look_at(root(), "org/b.gguf", WithDigest::yes);
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
    fs::create_symlink(path("org/a.gguf"), path("link.gguf"));
    const auto link = look_at(root(), "link.gguf", WithDigest::no);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().code(), Errc::conflict);
}

TEST_F(PartFileTest, CopiesAModel) {
    const auto source = dir_.path() + "/source.gguf";
    write(source, "GGUF and more");
    const auto copied = copy_to_part(source, root(), "a.gguf", [](std::uint64_t) { return true; });
    ASSERT_TRUE(copied) << copied.error().message();
    EXPECT_EQ(copied->size, 13U);
    EXPECT_EQ(read(path("a.gguf.part")), "GGUF and more");
    const auto stopped =
        copy_to_part(source, root(), "b.gguf", [](std::uint64_t) { return false; });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), Errc::cancelled);
    write(source, "<html>");
    const auto other = copy_to_part(source, root(), "c.gguf", [](std::uint64_t) { return true; });
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), Errc::invalid_request);
}

}  // namespace
}  // namespace routerd::transfer
