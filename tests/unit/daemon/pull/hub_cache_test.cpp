#include "daemon/pull/hub_cache.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace routerd::pull {
namespace {

namespace fs = std::filesystem;
using routerd::test::TempDir;
using test::read_file;

const std::string revision(40, 'c');
const std::string model_digest(64, 'a');
const std::string projector_digest(64, 'b');
const std::string snapshot = "models--org--repo/snapshots/" + revision + "/";

RemoteFile hub_file(const std::string& path, const std::string& in_repo,
                    const std::string& digest) {
    RemoteFile file;
    file.path = path;
    file.url = "https://huggingface.co/org/repo/resolve/" + revision + "/" + in_repo;
    file.sha256 = digest;
    return file;
}

Plan hub_plan() {
    Plan plan;
    plan.name = "org/repo:Q4_K_M";
    plan.hub = HubRevision{"org/repo", revision};
    plan.files = {hub_file("org/repo/m.gguf", "m.gguf", model_digest)};
    return plan;
}

/// As the downloads leave it.
void put_blob(const TempDir& dir, const std::string& digest, const std::string& content) {
    dir.write("models--org--repo/blobs/" + digest, content);
}

TEST(HubCacheTest, TakesOnlyWhatHasANameThere) {
    EXPECT_TRUE(fits_hub_cache(hub_plan()));
    auto elsewhere = hub_plan();
    elsewhere.hub.reset();
    EXPECT_FALSE(fits_hub_cache(elsewhere));
    auto unknown = hub_plan();
    unknown.files.push_back(hub_file("org/repo/n.gguf", "n.gguf", ""));
    EXPECT_FALSE(fits_hub_cache(unknown));
}

TEST(HubCacheTest, PutsThingsWhereTheHubsProgramsDo) {
    const auto plan = hub_plan();
    EXPECT_EQ(hub_blob_path(plan, plan.files[0]), "models--org--repo/blobs/" + model_digest);
    EXPECT_EQ(hub_snapshot_path(plan, plan.files[0]), snapshot + "m.gguf");
}

TEST(HubCacheTest, FindsTheFolderOfAFileInItsUrl) {
    auto plan = hub_plan();
    plan.files = {hub_file("org/repo/mmproj.gguf", "vision/mmproj%20(1).gguf", projector_digest)};
    EXPECT_EQ(hub_snapshot_path(plan, plan.files[0]), snapshot + "vision/mmproj (1).gguf");
    for (const auto* out : {"../../../etc/x.gguf", "%2e%2e/x.gguf", "/x.gguf", "a//x.gguf", ""}) {
        plan.files = {hub_file("org/repo/x.gguf", out, projector_digest)};
        EXPECT_EQ(hub_snapshot_path(plan, plan.files[0]), snapshot + "x.gguf") << out;
    }
}

TEST(HubCacheTest, LinksNamesToBlobsAndWritesTheRef) {
    const TempDir dir;
    put_blob(dir, model_digest, "model");
    put_blob(dir, projector_digest, "projector");
    auto plan = hub_plan();
    plan.files.push_back(hub_file("org/repo/mmproj.gguf", "vision/mmproj.gguf", projector_digest));
    const auto linked = link_hub_snapshot(dir.path(), plan);
    ASSERT_TRUE(linked) << linked.error().message();
    EXPECT_EQ(fs::read_symlink(dir / (snapshot + "m.gguf")), "../../blobs/" + model_digest);
    EXPECT_EQ(fs::read_symlink(dir / (snapshot + "vision/mmproj.gguf")),
              "../../../blobs/" + projector_digest);
    EXPECT_EQ(read_file(dir / (snapshot + "m.gguf")), "model");
    EXPECT_EQ(read_file(dir / (snapshot + "vision/mmproj.gguf")), "projector");
    EXPECT_EQ(read_file(dir / "models--org--repo/refs/main"), revision);
    EXPECT_FALSE(fs::exists(dir / "models--org--repo/refs/main.part"));
}

TEST(HubCacheTest, LinkingTwiceIsLinkingOnce) {
    const TempDir dir;
    put_blob(dir, model_digest, "model");
    ASSERT_TRUE(link_hub_snapshot(dir.path(), hub_plan()));
    const auto again = link_hub_snapshot(dir.path(), hub_plan());
    EXPECT_TRUE(again) << again.error().message();
    EXPECT_EQ(read_file(dir / (snapshot + "m.gguf")), "model");
}

TEST(HubCacheTest, TheRefFollowsTheNewestCommit) {
    const TempDir dir;
    put_blob(dir, model_digest, "model");
    dir.write("models--org--repo/refs/main", std::string(40, 'd'));
    ASSERT_TRUE(link_hub_snapshot(dir.path(), hub_plan()));
    EXPECT_EQ(read_file(dir / "models--org--repo/refs/main"), revision);
}

TEST(HubCacheTest, LeavesWhatHasTheNameAlready) {
    const TempDir dir;
    put_blob(dir, model_digest, "model");
    const auto name = dir / (snapshot + "m.gguf");
    fs::create_directories(fs::path(name).parent_path());
    fs::create_symlink("../../blobs/" + projector_digest, name);
    const auto refused = link_hub_snapshot(dir.path(), hub_plan());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::conflict);
    EXPECT_EQ(fs::read_symlink(name), "../../blobs/" + projector_digest);
    EXPECT_FALSE(fs::exists(dir / "models--org--repo/refs/main"));
    fs::remove(name);
    dir.write(snapshot + "m.gguf", "a plain file");
    EXPECT_EQ(link_hub_snapshot(dir.path(), hub_plan()).error().code(), Errc::conflict);
    EXPECT_EQ(read_file(name), "a plain file");
}

TEST(HubCacheTest, SaysWhereItCouldNotWrite) {
    const TempDir dir;
    dir.write("models--org--repo", "in the way");
    const auto failed = link_hub_snapshot(dir.path(), hub_plan());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), Errc::unavailable);
    EXPECT_NE(failed.error().message().find("models--org--repo"), std::string::npos);
}

}  // namespace
}  // namespace routerd::pull
