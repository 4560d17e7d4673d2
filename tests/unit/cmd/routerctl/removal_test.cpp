#include "common/api/removal.hpp"

#include "common/api/codec.hpp"
#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

constexpr const char* post_prune = "POST /control/v1/prune";

TEST_F(CtlTest, RmPrintsNamesAndSaysWhatItFreed) {
    daemon_.answer_json("DELETE /control/v1/models/fox",
                        R"({"id":"fox-q4","files":["/m/a","/m/b"],"freed":2048})");
    daemon_.answer_json("DELETE /control/v1/models/box",
                        R"({"error":{"message":"'/x/box.gguf' is outside '/m'",)"
                        R"("code":"forbidden","hint":"with --force"}})",
                        "403 Forbidden");
    daemon_.answer_json("DELETE /control/v1/models/ox",
                        R"({"id":"ox","files":["/m/c"],"freed":1})");
    const auto outcome = ctl({"rm", "fox", "box", "ox"});
    EXPECT_EQ(outcome.code, 5);
    EXPECT_EQ(outcome.out, "fox-q4\nox\n");
    EXPECT_EQ(outcome.err,
              "routerctl: 'fox-q4': removed 2 files, 2.0 KiB\n"
              "routerctl: '/x/box.gguf' is outside '/m'\nhint: with --force\n"
              "routerctl: 'ox': removed 1 file, 1 B\n");
    EXPECT_EQ(ctl({"rm", "-q", "fox"}).err, "");
    EXPECT_EQ(ctl({"rm"}).code, 2);
}

TEST_F(CtlTest, PrunePrintsAPathALineAndATotal) {
    const auto answer = source_file("tests/golden/routerctl/answers/pruned.json");
    daemon_.answer_json(post_prune, answer);
    const auto outcome = ctl({"prune", "--all"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out,
              "/var/lib/routerd/models/a.gguf.part\n"
              "/var/lib/routerd/models/org/b\\x1B.gguf.part\n");
    EXPECT_EQ(outcome.err, "routerctl: removed 2 files, 1.0 GiB, and forgot 2 downloads\n");
    const auto sent = *api::decode<api::PruneRequest>(daemon_.seen().back().body);
    EXPECT_TRUE(sent.all);
    EXPECT_FALSE(sent.dry_run);
}

TEST_F(CtlTest, ADryRunOfPruneSaysThatItIsOne) {
    daemon_.answer_json(post_prune,
                        R"({"removed":[{"path":"/m/a.part","bytes":5}],"pulls":[],"freed":5})");
    const auto outcome = ctl({"prune", "--dry-run"});
    EXPECT_EQ(outcome.out, "/m/a.part\n");
    EXPECT_EQ(outcome.err, "routerctl: would remove 1 file, 5 B\n");
    EXPECT_TRUE(api::decode<api::PruneRequest>(daemon_.seen().back().body)->dry_run);
    daemon_.answer_json(post_prune, R"({"removed":[],"pulls":[],"freed":0})");
    EXPECT_EQ(ctl({"prune"}).err, "routerctl: removed 0 files, 0 B\n");
    EXPECT_EQ(ctl({"prune", "everything"}).code, 2);
}

}  // namespace
}  // namespace routerd::ctl
