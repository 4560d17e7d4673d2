#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

struct ChangeCase {
    const char* name;
    std::vector<std::string> arguments;
    const char* request;
    const char* body;
};

class ChangeTest : public CtlTest, public testing::WithParamInterface<ChangeCase> {};

TEST_P(ChangeTest, SendsTheChangeAndPrintsTheName) {
    daemon_.answer_json(GetParam().request, R"({"id":"q","name":"q","model":"q"})");
    const auto outcome = ctl(GetParam().arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "q\n");
    EXPECT_EQ(outcome.err, "");
    ASSERT_EQ(daemon_.seen().size(), 1U);
    EXPECT_EQ(daemon_.seen()[0].body, GetParam().body);
}

constexpr const char* patch = "PATCH /control/v1/models/q";
#define CHANGE(set, unset, add, remove)                                                           \
    R"({"add_aliases":)" add R"(,"remove_aliases":)" remove R"(,"set":)" set R"(,"unset":)" unset \
    "}"

INSTANTIATE_TEST_SUITE_P(
    All, ChangeTest,
    testing::Values(
        ChangeCase{
            "Enable", {"enable", "q"}, patch, CHANGE(R"({"enabled":"true"})", "[]", "[]", "[]")},
        ChangeCase{
            "Disable", {"disable", "q"}, patch, CHANGE(R"({"enabled":"false"})", "[]", "[]", "[]")},
        ChangeCase{
            "Tier", {"tier", "q", "fast"}, patch, CHANGE(R"({"tier":"fast"})", "[]", "[]", "[]")},
        ChangeCase{
            "TierAuto", {"tier", "q", "auto"}, patch, CHANGE("{}", R"(["tier"])", "[]", "[]")},
        ChangeCase{"Thinking",
                   {"thinking", "q", "on"},
                   patch,
                   CHANGE(R"({"thinking":"true"})", "[]", "[]", "[]")},
        ChangeCase{"ThinkingAuto",
                   {"thinking", "q", "auto"},
                   patch,
                   CHANGE("{}", R"(["thinking"])", "[]", "[]")},
        ChangeCase{"Alias",
                   {"alias", "q", "fast-one"},
                   patch,
                   CHANGE("{}", "[]", R"(["fast-one"])", "[]")},
        ChangeCase{"AliasRemove",
                   {"alias", "--rm", "q", "fast-one"},
                   patch,
                   CHANGE("{}", "[]", "[]", R"(["fast-one"])")},
        ChangeCase{"Set",
                   {"set", "q", "context=4096", "args=-fa on"},
                   patch,
                   CHANGE(R"({"args":"-fa on","context":"4096"})", "[]", "[]", "[]")},
        ChangeCase{"Unset",
                   {"unset", "q", "context", "args"},
                   patch,
                   CHANGE("{}", R"(["context","args"])", "[]", "[]")},
        ChangeCase{"Pin", {"pin", "q"}, "POST /control/v1/models/q/pin", ""},
        ChangeCase{"Unpin", {"unpin", "q"}, "POST /control/v1/models/q/unpin", ""},
        ChangeCase{"Reset", {"reset", "q"}, "POST /control/v1/models/q/reset", ""},
        ChangeCase{"Restart", {"restart", "q"}, "POST /control/v1/models/q/restart", ""},
        ChangeCase{"Load", {"load", "q"}, "POST /control/v1/models/q/load?wait=false", ""},
        ChangeCase{
            "LoadWait", {"load", "--wait", "q"}, "POST /control/v1/models/q/load?wait=true", ""},
        ChangeCase{
            "ProfileUse", {"profile", "use", "q"}, "POST /control/v1/profiles/q/activate", ""},
        ChangeCase{"ProfileRemove", {"profile", "rm", "q"}, "DELETE /control/v1/profiles/q", ""}),
    [](const auto& row) { return row.param.name; });

TEST_F(CtlTest, GoesOnAfterAFailureAndKeepsTheFirstExitCode) {
    daemon_.answer_json("POST /control/v1/models/a/pin", R"({"id":"a"})");
    daemon_.answer_json("POST /control/v1/models/b/pin",
                        R"({"error":{"message":"no model 'b'","code":"model_not_found"}})",
                        "404 Not Found");
    daemon_.answer_json("POST /control/v1/models/c/pin", R"({"id":"c"})");
    const auto outcome = ctl({"pin", "a", "b", "c"});
    EXPECT_EQ(outcome.code, 4);
    EXPECT_EQ(outcome.out, "a\nc\n");
    EXPECT_EQ(outcome.err, "routerctl: no model 'b'\n");
}

TEST_F(CtlTest, UnloadOfWhatIsNotLoadedIs3) {
    daemon_.answer_json("POST /control/v1/models/a/unload", R"({"models":[]})");
    daemon_.answer_json("POST /control/v1/models/b/unload", R"({"models":["b"]})");
    const auto outcome = ctl({"stop", "a", "b"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.out, "b\n");
    EXPECT_EQ(outcome.err, "routerctl: 'a' is not loaded\n");
}

TEST_F(CtlTest, UnloadAllPrintsEachName) {
    daemon_.answer_json("POST /control/v1/unload", R"({"models":["a","b"]})");
    EXPECT_EQ(ctl({"unload", "--all"}).out, "a\nb\n");
    EXPECT_EQ(ctl({"unload", "--all", "-q"}).out, "a\nb\n");
    EXPECT_EQ(ctl({"unload", "--all", "--format", "{{len .models}}"}).out, "2\n");
}

TEST_F(CtlTest, PrintsANewKeyAloneAndSaysTheRestOnStderr) {
    daemon_.answer_json("POST /control/v1/keys",
                        source_file("tests/golden/routerctl/answers/new_key.json"), "201 Created");
    for (const auto& arguments : {std::vector<std::string>{"keys", "create", "ci", "--scope",
                                                           "inference", "--model", "fox"},
                                  std::vector<std::string>{"keys", "create", "ci", "-q"}}) {
        const auto outcome = ctl(arguments);
        EXPECT_EQ(outcome.code, 0);
        EXPECT_EQ(outcome.out, "sk-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG\n");
        EXPECT_NE(outcome.err.find("key 'ci' is shown this once"), std::string::npos);
    }
}

}  // namespace
}  // namespace routerd::ctl
