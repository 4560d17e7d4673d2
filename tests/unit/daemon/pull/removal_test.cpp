#include "daemon/pull/removal.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/catalog/model.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::pull {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RemovalTest : public testing::Test {
  protected:
    using Paths = std::vector<std::string>;

    /// The folder of downloads, and a path in it.
    std::string root() const { return dir_ / "models"; }
    std::string path(const std::string& below) const { return root() + "/" + below; }
    std::string write(const std::string& below, const std::string& text = "12345") const {
        return dir_.write("models/" + below, text);
    }

    /// take_aim() and remove_all(): the paths that went, or the error.
    Result<Paths> remove(const Paths& files, Outside outside = Outside::refused) {
        const auto doomed = take_aim(root(), files, outside);
        if (!doomed) {
            return doomed.error();
        }
        const auto removed = remove_all(*doomed, wanted_);
        if (!removed) {
            return removed.error();
        }
        Paths paths;
        freed_ = 0;
        for (const auto& file : *removed) {
            paths.push_back(file.path);
            freed_ += file.bytes;
        }
        return paths;
    }

    Errc refusal(const Paths& files) {
        const auto removed = remove(files);
        return removed ? Errc::internal : removed.error().code();
    }

    Paths parts(const Paths& wanted = {}) const {
        const auto found = find_parts(root(), wanted);
        EXPECT_TRUE(found) << found.error().message();
        Paths paths;
        for (const auto& part : *found) {
            paths.push_back(part.file.path);
        }
        return paths;
    }

    routerd::test::TempDir dir_;
    Paths wanted_;
    std::uint64_t freed_ = 0;
};

TEST_F(RemovalTest, TakesTheEmptyFoldersTooButNeverTheRoot) {
    const auto first = write("org/repo/a-00001-of-00002.gguf");
    const auto second = write("org/repo/a-00002-of-00002.gguf", "123");
    const auto removed = remove({first, second});
    ASSERT_TRUE(removed) << removed.error().message();
    EXPECT_THAT(*removed, ElementsAre(first, second));
    EXPECT_EQ(freed_, 8U);
    EXPECT_FALSE(fs::exists(path("org")));
    EXPECT_TRUE(fs::exists(root()));
}

TEST_F(RemovalTest, LeavesFoldersThatHoldSomething) {
    const auto file = write("org/repo/a.gguf");
    write("org/README.md");
    ASSERT_TRUE(remove({file}));
    EXPECT_FALSE(fs::exists(path("org/repo")));
    EXPECT_TRUE(fs::exists(path("org/README.md")));
}

TEST_F(RemovalTest, WhatIsGoneAlreadyIsNoError) {
    write("a.gguf");
    const auto removed = remove({path("b.gguf"), path("never/there.gguf")});
    ASSERT_TRUE(removed) << removed.error().message();
    EXPECT_THAT(*removed, IsEmpty());
}

TEST_F(RemovalTest, RefusesAllWhenOneIsOutside) {
    const auto inside = write("a.gguf");
    const auto outside = dir_.write("others/b.gguf", "mine");
    const auto removed = remove({inside, outside});
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code(), Errc::forbidden);
    EXPECT_THAT(removed.error().message(), HasSubstr(outside));
    EXPECT_THAT(removed.error().hint(), HasSubstr("--force"));
    EXPECT_TRUE(fs::exists(inside));
    EXPECT_TRUE(fs::exists(outside));
}

TEST_F(RemovalTest, ANameThatBeginsAsTheFolderDoesIsOutside) {
    write("a.gguf");
    const auto outside = dir_.write("models-of-others/b.gguf", "mine");
    EXPECT_EQ(refusal({outside}), Errc::forbidden);
    EXPECT_EQ(refusal({path("../models-of-others/b.gguf")}), Errc::forbidden);
    EXPECT_TRUE(fs::exists(outside));
}

TEST_F(RemovalTest, AFolderThatIsALinkLeadsOutside) {
    write("a.gguf");
    const auto victim = dir_.write("elsewhere/b.gguf", "mine");
    fs::create_directory_symlink(dir_ / "elsewhere", path("org"));
    EXPECT_EQ(refusal({path("org/b.gguf")}), Errc::forbidden);
    EXPECT_TRUE(fs::exists(victim));
}

TEST_F(RemovalTest, OutsideOnlyTheFileGoesAndNoFolder) {
    const auto outside = dir_.write("others/b.gguf", "mine");
    fs::create_directory(root());
    const auto removed = remove({outside}, Outside::removed);
    ASSERT_TRUE(removed) << removed.error().message();
    EXPECT_THAT(*removed, ElementsAre(outside));
    EXPECT_FALSE(fs::exists(outside));
    EXPECT_TRUE(fs::exists(dir_ / "others"));
}

TEST_F(RemovalTest, TheFolderOfDownloadsMayBeReachedThroughALink) {
    write("org/a.gguf");
    fs::create_directory_symlink(root(), dir_ / "link");
    EXPECT_TRUE(remove({dir_ / "link/org/a.gguf"}));
    EXPECT_FALSE(fs::exists(path("org")));
}

TEST_F(RemovalTest, ALinkThatComesBetweenLookingAndRemovingIsNotFollowed) {
    const auto file = write("org/a.gguf");
    const auto victim = dir_.write("elsewhere/a.gguf", "mine");
    const auto doomed = take_aim(root(), {file}, Outside::refused);
    ASSERT_TRUE(doomed);
    fs::rename(path("org"), path("moved"));
    fs::create_directory_symlink(dir_ / "elsewhere", path("org"));
    const auto removed = remove_all(*doomed, {});
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code(), Errc::conflict);
    EXPECT_TRUE(fs::exists(victim));
}

TEST_F(RemovalTest, OfALinkTheLinkGoes) {
    const auto target = dir_.write("elsewhere/a.gguf", "mine");
    fs::create_directory(root());
    fs::create_symlink(target, path("a.gguf"));
    ASSERT_TRUE(remove({path("a.gguf")}));
    EXPECT_FALSE(fs::is_symlink(path("a.gguf")));
    EXPECT_TRUE(fs::exists(target));
    EXPECT_EQ(freed_, 0U);
}

TEST_F(RemovalTest, AFileWithAnotherNameFreesNothing) {
    const auto file = write("a.gguf");
    fs::create_hard_link(file, dir_ / "other");
    ASSERT_TRUE(remove({file}));
    EXPECT_EQ(freed_, 0U);
    EXPECT_TRUE(fs::exists(dir_ / "other"));
}

TEST_F(RemovalTest, AFolderIsInTheWay) {
    write("a.gguf/inner");
    EXPECT_EQ(refusal({path("a.gguf")}), Errc::conflict);
    EXPECT_TRUE(fs::exists(path("a.gguf/inner")));
}

class HubRemovalTest : public RemovalTest {
  protected:
    HubRemovalTest() { fs::create_directory(root()); }

    std::string repo(const std::string& below) const {
        return dir_ / "hub/models--org--repo/" + below;
    }
    std::string link(const std::string& name, const std::string& blob) const {
        const auto path = repo("snapshots/" + name);
        fs::create_directories(fs::path(path).parent_path());
        std::string up = "../../";
        for (auto slash = name.find('/') + 1; (slash = name.find('/', slash)) != std::string::npos;
             ++slash) {
            up += "../";
        }
        fs::create_symlink(up + "blobs/" + blob, path);
        return path;
    }
    std::string blob(const std::string& name) const {
        return dir_.write("hub/models--org--repo/blobs/" + name, "12345");
    }
};

TEST_F(HubRemovalTest, TheBlobGoesWithItsLastLink) {
    const auto bytes = blob("abc");
    const auto old = link("c1/sub/a.gguf", "abc");
    const auto current = link("c2/a.gguf", "abc");
    EXPECT_EQ(refusal({current}), Errc::forbidden);
    EXPECT_THAT(*remove({current}, Outside::removed), ElementsAre(current));
    EXPECT_EQ(freed_, 0U);
    EXPECT_FALSE(fs::exists(repo("snapshots/c2")));
    EXPECT_TRUE(fs::exists(bytes));
    EXPECT_THAT(*remove({old}, Outside::removed), ElementsAre(old, bytes));
    EXPECT_EQ(freed_, 5U);
    EXPECT_FALSE(fs::exists(repo("snapshots/c1")));
    EXPECT_TRUE(fs::exists(repo("snapshots")));
    EXPECT_TRUE(fs::exists(repo("blobs")));
}

TEST_F(HubRemovalTest, ABlobThatAPullWantsStays) {
    const auto bytes = blob("abc");
    const auto name = link("c1/a.gguf", "abc");
    wanted_ = {bytes};
    EXPECT_THAT(*remove({name}, Outside::removed), ElementsAre(name));
    EXPECT_TRUE(fs::exists(bytes));
}

TEST_F(HubRemovalTest, WhatIsNoBlobOfTheRepositoryStays) {
    const auto victim = dir_.write("hub/models--org--other/blobs/abc", "mine");
    const auto name = link("c1/a.gguf", "../../models--org--other/blobs/abc");
    EXPECT_THAT(*remove({name}, Outside::removed), ElementsAre(name));
    EXPECT_TRUE(fs::exists(victim));
    const auto folder = link("c1/b.gguf", "");
    EXPECT_THAT(*remove({folder}, Outside::removed), ElementsAre(folder));
}

TEST_F(RemovalTest, FindsThePartsThatNobodyWants) {
    write("a.gguf");
    write("a.gguf.part");
    write("org/repo/b.gguf.part");
    write("org/repo/c.gguf.part");
    write("org/.cache/d.gguf.part");
    fs::create_directory(path("e.part"));
    fs::create_symlink(path("a.gguf"), path("f.part"));
    fs::create_directory_symlink(path("org"), path("again"));
    EXPECT_THAT(parts({path("org/repo/b.gguf")}),
                ElementsAre("a.gguf.part", "org/repo/c.gguf.part"));
    fs::remove_all(root());
    EXPECT_THAT(parts(), IsEmpty());
}

TEST_F(RemovalTest, AWantedPartIsKnownByAnyOfItsPaths) {
    write("a.gguf.part");
    fs::create_directory_symlink(root(), dir_ / "link");
    EXPECT_THAT(parts({dir_ / "link/a.gguf"}), IsEmpty());
}

TEST_F(RemovalTest, AWantedPartOfALongNameStays) {
    const std::string longest(255, 'x');
    write(longest.substr(0, 250) + ".part");
    EXPECT_THAT(parts({path(longest)}), IsEmpty());
    EXPECT_EQ(parts_of({{root(), longest, path(longest)}}).size(), 1U);
}

TEST_F(RemovalTest, RemovesPartsButTheWanted) {
    write("org/a.gguf.part");
    write("b.gguf.part");
    write("c.gguf.part", "123");
    const auto found = find_parts(root(), {});
    ASSERT_TRUE(found);
    fs::remove(path("b.gguf.part"));
    const auto removed = remove_parts(*found, {path("c.gguf")});  // wanted since
    ASSERT_TRUE(removed) << removed.error().message();
    ASSERT_EQ(removed->size(), 1U);
    EXPECT_EQ(removed->front().path, path("org/a.gguf.part"));
    EXPECT_EQ(removed->front().bytes, 5U);
    EXPECT_TRUE(fs::exists(path("org"))) << "folders are not of what it looks for";
    EXPECT_TRUE(fs::exists(path("c.gguf.part")));
}

TEST_F(RemovalTest, FollowsNoLinkToAPart) {
    write("org/a.gguf.part");
    const auto victim = dir_.write("elsewhere/a.gguf.part", "mine");
    const auto found = find_parts(root(), {});
    ASSERT_TRUE(found);
    fs::remove_all(path("org"));
    fs::create_directory_symlink(dir_ / "elsewhere", path("org"));
    EXPECT_FALSE(remove_parts(*found, {}));
    EXPECT_TRUE(fs::exists(victim));
}

class FilesOfTest : public testing::Test {
  protected:
    Model& add(const std::string& id, const std::string& file, const std::string& mmproj = "") {
        auto model = std::make_shared<Model>();
        model->id = id;
        model->files = {file};
        model->mmproj = mmproj;
        snapshot_.models.push_back(model);
        return *model;
    }

    Snapshot snapshot_;
};

TEST_F(FilesOfTest, TheProjectorGoesWithItsLastModel) {
    const auto& first = add("a", "/m/a.gguf", "/m/mmproj.gguf");
    EXPECT_THAT(*files_of(snapshot_, first), ElementsAre("/m/a.gguf", "/m/mmproj.gguf"));
    add("b", "/m/b.gguf", "/m/mmproj.gguf");
    EXPECT_THAT(*files_of(snapshot_, first), ElementsAre("/m/a.gguf"));
}

TEST_F(FilesOfTest, WhatBelongsToOthersIsRefused) {
    auto& first = add("a", "/m/a.gguf");
    add("b", "/m/a.gguf");
    EXPECT_EQ(files_of(snapshot_, first).error().code(), Errc::conflict);
    first.source = Source::ollama;
    const auto refused = files_of(snapshot_, first);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::forbidden);
    EXPECT_THAT(refused.error().hint(), HasSubstr("ollama rm"));
}

}  // namespace
}  // namespace routerd::pull
