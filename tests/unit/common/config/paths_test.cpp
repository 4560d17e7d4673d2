#include "common/config/paths.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(PathsTest, AUsersDaemonFollowsXdg) {
    const Environment environment{{"HOME", "/home/u"},
                                  {"XDG_CONFIG_HOME", "/c"},
                                  {"XDG_STATE_HOME", "/s"},
                                  {"XDG_DATA_HOME", "/d"},
                                  {"XDG_RUNTIME_DIR", "/r"}};
    const auto paths = user_paths(environment);
    EXPECT_EQ(paths.config_file, "/c/routerd/routerd.toml");
    EXPECT_EQ(paths.config_folder, "/c/routerd/conf.d");
    EXPECT_EQ(paths.state_dir, "/s/routerd");
    EXPECT_EQ(paths.runtime_dir, "/r/routerd");
    EXPECT_EQ(paths.socket, "/r/routerd.sock");
    EXPECT_EQ(paths.models_dir, "/d/routerd/models");
}

TEST(PathsTest, FallsBackToHomeAndToAFolderOfOurOwn) {
    const auto paths = user_paths({{"HOME", "/home/u"}, {"XDG_STATE_HOME", "relative"}});
    const std::string own = "/tmp/routerd-" + std::to_string(::getuid());
    EXPECT_EQ(paths.config_file, "/home/u/.config/routerd/routerd.toml");
    EXPECT_EQ(paths.state_dir, "/home/u/.local/state/routerd");
    EXPECT_EQ(paths.runtime_dir, own);
    EXPECT_EQ(paths.socket, own + "/routerd.sock");
}

TEST(PathsTest, ExpandsTheHomeDirectoryOnlyInFront) {
    const Environment environment{{"HOME", "/home/u"}};
    EXPECT_EQ(expand_home("~", environment), "/home/u");
    EXPECT_EQ(expand_home("~/x", environment), "/home/u/x");
    EXPECT_EQ(expand_home("~x", environment), "~x");
    EXPECT_EQ(expand_home("/a/~/x", environment), "/a/~/x");
}

TEST(PathsTest, MakesADirectoryForItsOwnerAlone) {
    const test::TempDir dir;
    const auto path = dir / "a/b";
    EXPECT_TRUE(make_private_directory(path));
    EXPECT_TRUE(make_private_directory(path));
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
}

TEST(PathsTest, RefusesADirectoryThatOthersMayChange) {
    const test::TempDir dir;
    fs::create_directory(dir / "open");
    fs::permissions(dir / "open", fs::perms::all);
    const auto open = make_private_directory(dir / "open");
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code(), Errc::forbidden);
    EXPECT_THAT(open.error().message(), HasSubstr("can be written by others"));
    fs::create_symlink(dir.path(), dir / "link");
    EXPECT_FALSE(make_private_directory(dir / "link"));
    EXPECT_FALSE(make_private_directory(dir.write("file", "") + "/x"));
}

}  // namespace
}  // namespace routerd
