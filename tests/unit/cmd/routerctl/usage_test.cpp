#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

struct UsageCase {
    const char* name;
    std::vector<std::string> arguments;
    const char* error;
};

class UsageTest : public CtlTest, public testing::WithParamInterface<UsageCase> {};

TEST_P(UsageTest, SaysWhatIsWrongAndEndsWith2) {
    const auto outcome = ctl(GetParam().arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    All, UsageTest,
    testing::Values(
        UsageCase{"UnknownCommand",
                  {"pss"},
                  "routerctl: unknown command 'pss' of routerctl\nhint: did you mean 'ps'?\n"},
        UsageCase{
            "UnknownInnerCommand",
            {"profile", "usee"},
            "routerctl: unknown command 'usee' of routerctl profile\nhint: did you mean 'use'?\n"},
        UsageCase{
            "UnknownOption",
            {"ps", "--al"},
            "routerctl: unknown option '--al' of routerctl ps\nhint: did you mean '--all'?\n"},
        UsageCase{"NoName",
                  {"show"},
                  "routerctl: routerctl show needs NAME\nhint: see: routerctl show --help\n"},
        UsageCase{"TooMany",
                  {"status", "now"},
                  "routerctl: too many arguments for routerctl status: 'now'\n"
                  "hint: see: routerctl status --help\n"},
        UsageCase{"UnloadNothing", {"unload"}, "routerctl: unload needs either names or --all\n"},
        UsageCase{"UnloadBoth",
                  {"unload", "a", "--all"},
                  "routerctl: unload needs either names or --all\n"},
        UsageCase{"BadHost",
                  {"-H", "nowhere", "ps"},
                  "routerctl: --host: 'nowhere' is not an address\n"
                  "hint: use unix:///path/to/routerd.sock or http://host:port\n"},
        UsageCase{
            "BadTimeout",
            {"ps", "--timeout", "soon"},
            "routerctl: --timeout: 'soon' is not a duration (examples: 250ms, 5s, 10m, 1h)\n"},
        UsageCase{"BadSetting",
                  {"set", "a", "context"},
                  "routerctl: 'context' is not KEY=VALUE\nhint: example: routerctl set a "
                  "context=8192\n"},
        UsageCase{"BadSince",
                  {"logs", "a", "--since", "yesterday"},
                  "routerctl: --since: 'yesterday' is not a time\n"
                  "hint: examples: 10m (ago), 2h, 2026-11-21T15:04:05Z\n"},
        UsageCase{"NoPrompt", {"run", "a"}, "routerctl: the prompt is empty\n"}),
    [](const auto& row) { return row.param.name; });

TEST_F(CtlTest, NeedsACommandAndNamesThem) {
    const auto outcome = ctl({});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_TRUE(
        outcome.err.starts_with("routerctl: routerctl needs a command\nhint: one of: status,"))
        << outcome.err;
}

TEST_F(CtlTest, RefusesATierThatIsNone) {
    const auto outcome = ctl({"tier", "a", "huge"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.err.find("huge"), std::string::npos);
    EXPECT_NE(outcome.err.find("powerful"), std::string::npos);
}

TEST_F(CtlTest, HelpIsData) {
    const auto outcome = ctl({"switch", "--help"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_NE(outcome.out.find("--dry-run"), std::string::npos);
    EXPECT_NE(outcome.out.find("routerctl switch"), std::string::npos);
}

struct ErrorCase {
    const char* code;
    const char* status;
    int exit;
};

class ExitCodeTest : public CtlTest, public testing::WithParamInterface<ErrorCase> {};

TEST_P(ExitCodeTest, FollowsFromTheDaemonsError) {
    daemon_.answer_json(
        "GET /control/v1/status",
        R"({"error":{"message":"why","hint":"do","code":")" + std::string(GetParam().code) + "\"}}",
        GetParam().status);
    const auto outcome = ctl({"status"});
    EXPECT_EQ(outcome.code, GetParam().exit);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "routerctl: why\nhint: do\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, ExitCodeTest,
    testing::Values(ErrorCase{"internal_error", "500 x", 1}, ErrorCase{"load_failed", "503 x", 1},
                    ErrorCase{"deadline_exceeded", "504 x", 1},
                    ErrorCase{"upstream_error", "502 x", 1}, ErrorCase{"shutting_down", "503 x", 1},
                    ErrorCase{"unavailable", "503 x", 1}, ErrorCase{"invalid_request", "400 x", 2},
                    ErrorCase{"model_not_found", "404 x", 4}, ErrorCase{"not_found", "404 x", 4},
                    ErrorCase{"would_not_fit", "503 x", 5}, ErrorCase{"conflict", "409 x", 5},
                    ErrorCase{"forbidden", "403 x", 5}, ErrorCase{"invalid_api_key", "401 x", 5},
                    ErrorCase{"quarantined", "503 x", 5}, ErrorCase{"queue_full", "503 x", 5},
                    ErrorCase{"rate_limited", "429 x", 5}),
    [](const auto& row) { return std::string(row.param.code); });

TEST_F(CtlTest, ADaemonThatIsNotThereIs6) {
    environment_["ROUTERD_HOST"] = "unix://" + daemon_.folder() + "/none.sock";
    const auto outcome = ctl({"ps"});
    EXPECT_EQ(outcome.code, 6);
    EXPECT_EQ(outcome.err, "routerctl: no daemon answers at unix://" + daemon_.folder() +
                               "/none.sock (No such file or directory)\n"
                               "hint: start one with: systemctl start routerd, or your own with: "
                               "routerd --user\n");
}

}  // namespace
}  // namespace routerd::ctl
