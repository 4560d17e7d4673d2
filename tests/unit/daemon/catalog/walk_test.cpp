#include "daemon/catalog/walk.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names(const std::vector<WalkedFile>& files, const std::string& root) {
    std::vector<std::string> result;
    for (const auto& file : files) {
        result.push_back(file.path.substr(root.size() + 1));
    }
    return result;
}

class WalkTest : public testing::Test {
  protected:
    std::vector<std::string> walk(Walker& walker) { return names(walker.walk(root_), root_); }

    test::TempDir folder_;
    std::string root_ = (fs::create_directories(folder_ / "models"), folder_ / "models");
};

TEST_F(WalkTest, FindsModelFilesOnly) {
    for (const auto* name : {"models/b/B.GGUF", "models/a.gguf", "models/a.gguf.part",
                             "models/x.bin", "models/.hidden/h.gguf", "models/.h.gguf"}) {
        folder_.write(name, "x");
    }
    ASSERT_EQ(::mkfifo((root_ + "/fifo.gguf").c_str(), 0600), 0);
    fs::create_directory(root_ + "/directory.gguf");
    Walker walker({root_}, {}, {});
    EXPECT_EQ(walk(walker), (std::vector<std::string>{"a.gguf", "b/B.GGUF"}));
    EXPECT_TRUE(walker.problems().empty());
}

TEST_F(WalkTest, FollowsLinksThatStayInside) {
    folder_.write("models/a.gguf", "x");
    folder_.write("outside/o.gguf", "x");
    fs::create_symlink("a.gguf", root_ + "/inside.gguf");
    fs::create_symlink(folder_ / "outside/o.gguf", root_ + "/out.gguf");
    fs::create_symlink(folder_ / "outside", root_ + "/outside");
    fs::create_symlink("none.gguf", root_ + "/dangling.gguf");
    fs::create_symlink("..", root_ + "/up");
    fs::create_symlink("loop.gguf", root_ + "/loop.gguf");
    Walker walker({root_}, {}, {});
    EXPECT_EQ(walk(walker), (std::vector<std::string>{"a.gguf", "inside.gguf"}));
    EXPECT_EQ(walker.problems().size(), 5U);  // all but inside.gguf
    Walker wider({root_, folder_ / "outside"}, {}, {});
    EXPECT_EQ(walk(wider), (std::vector<std::string>{"a.gguf", "inside.gguf", "out.gguf"}));
}

TEST_F(WalkTest, EndsInALoopOfFolders) {
    folder_.write("models/sub/a.gguf", "x");
    fs::create_directory_symlink("..", root_ + "/sub/up");
    Walker walker({root_}, {}, {});
    EXPECT_EQ(walk(walker), std::vector<std::string>{"sub/a.gguf"});
}

TEST_F(WalkTest, KeepsToItsDepth) {
    folder_.write("models/1/2/3/deep.gguf", "x");
    folder_.write("models/1/2/near.gguf", "x");
    Walker walker({root_}, {.depth = 2, .files = 10}, {});
    EXPECT_EQ(walk(walker), std::vector<std::string>{"1/2/near.gguf"});
    EXPECT_EQ(walker.problems().size(), 1U);
}

TEST_F(WalkTest, KnowsDownloadsByTheirCompanions) {
    folder_.write("models/a.gguf", "x");
    folder_.write("models/a.gguf.aria2", "x");
    folder_.write("models/b.gguf", "x");
    Walker walker({root_}, {}, {});
    const auto files = walker.walk(root_);
    ASSERT_EQ(files.size(), 2U);
    EXPECT_TRUE(files[0].unfinished);
    EXPECT_FALSE(files[1].unfinished);
}

TEST_F(WalkTest, TellsOfEachFolderBeforeItIsRead) {
    folder_.write("models/a/b/x.gguf", "x");
    std::vector<std::string> told;
    Walker walker({root_}, {}, [&told](const std::string& path) { told.push_back(path); });
    walker.walk(root_);
    EXPECT_EQ(told, (std::vector<std::string>{root_, root_ + "/a", root_ + "/a/b"}));
    EXPECT_TRUE(walker.walk(root_ + "/none").empty());
}

}  // namespace
}  // namespace routerd
