#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

class CompleteTest : public CtlTest {
  protected:
    CompleteTest() {
        daemon_.answer_json("GET /control/v1/models?all=true&prefix=q",
                            R"({"items":[{"id":"qwen3-8b","display_name":"Qwen3 8B",)"
                            R"("aliases":["qwen/qwen3:Q4"]}]})");
        daemon_.answer_json("GET /control/v1/profiles",
                            R"({"items":[{"name":"night","description":""}]})");
        daemon_.answer_json("GET /control/v1/pulls",
                            R"({"items":[{"id":"12","name":"org/b:Q4","state":"paused"},)"
                            R"({"id":"3","name":"org/a:Q8","state":"complete"}]})");
    }

    std::string complete(std::vector<std::string> words) {
        words.insert(words.begin(), "__complete");
        const auto outcome = ctl(words);
        EXPECT_EQ(outcome.code, 0);
        EXPECT_EQ(outcome.err, "");
        return outcome.out;
    }
};

TEST_F(CompleteTest, Commands) {
    EXPECT_EQ(complete({"sw"}), "switch\tMake a model the default one and load it\n");
    EXPECT_EQ(complete({"profile", "u"}), "use\tPut a profile into force as one change\n");
    EXPECT_NE(complete({""}).find("doctor\t"), std::string::npos);
    EXPECT_EQ(complete({"--json", "-H", daemon_.host(), "vers"}),
              "version\tPrint the versions of both programs\n");
}

TEST_F(CompleteTest, OptionsOfTheCommandAndThoseOfAll) {
    EXPECT_EQ(complete({"switch", "--dry"}),
              "--dry-run\tonly say what would be unloaded, and why\n");
    EXPECT_EQ(complete({"ps", "--no-c"}), "--no-color\tno colours; $NO_COLOR says it too\n");
}

TEST_F(CompleteTest, NamesFromTheDaemon) {
    const std::string names = "qwen3-8b\tQwen3 8B\nqwen/qwen3:Q4\talias of qwen3-8b\n";
    EXPECT_EQ(complete({"load", "q"}), names);
    EXPECT_EQ(complete({"load", "other", "q"}), names);
    EXPECT_EQ(complete({"switch", "--exclusive", "q"}), names);
    EXPECT_EQ(complete({"profile", "use", ""}), "night\n");
    EXPECT_EQ(complete({"estimate", "--ctx", "4096", "q"}), names);
    EXPECT_EQ(complete({"why", "q"}), names);
    EXPECT_EQ(complete({"queue", "cancel", ""}), "");
    EXPECT_EQ(complete({"pulls", "attach", ""}), "12\torg/b:Q4 (paused)\n3\torg/a:Q8 (complete)\n");
    EXPECT_EQ(complete({"pulls", "rm", "3", "1"}), "12\torg/b:Q4 (paused)\n");
    EXPECT_EQ(complete({"pulls", "limit", "3", ""}), "");
}

TEST_F(CompleteTest, ValuesOfOptionsAndArguments) {
    EXPECT_EQ(complete({"ls", "--tier", "f"}), "fast\n");
    EXPECT_EQ(complete({"ls", "--tier=f"}), "--tier=fast\n");
    EXPECT_EQ(complete({"tier", "qwen3-8b", "b"}), "balanced\n");
    EXPECT_EQ(complete({"completion", "z"}), "zsh\n");
    EXPECT_EQ(complete({"config", "check", ""}), ":files\n");
    EXPECT_EQ(complete({"pull", "a/b", "--token-file", ""}), ":files\n");
    EXPECT_EQ(complete({"rescan", "--dir", ""}), ":folders\n");
    EXPECT_EQ(complete({"show", "a", "q"}), "");
}

TEST_F(CompleteTest, IsSilentWhenTheDaemonIsDown) {
    environment_["ROUTERD_HOST"] = "unix://" + daemon_.folder() + "/none.sock";
    EXPECT_EQ(complete({"load", "q"}), "");
    EXPECT_EQ(complete({"pulls", "attach", ""}), "");
    environment_["ROUTERD_HOST"] = "nonsense";
    EXPECT_EQ(complete({"load", "q"}), "");
}

TEST_F(CompleteTest, GivesUpOnADaemonThatHangs) {
    daemon_.answer_and_hold("GET /control/v1/models?all=true&prefix=h", "");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(complete({"load", "h"}), "");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

struct Shell {
    const char* name;
    const char* file;
};

class ScriptTest : public CtlTest, public testing::WithParamInterface<Shell> {};

TEST_P(ScriptTest, IsBuiltInAsItStands) {
    EXPECT_EQ(ctl({"completion", GetParam().name}).out,
              source_file("completions/" + std::string(GetParam().file)));
}

TEST_P(ScriptTest, IsGoodForItsShell) {
    const std::string shell = GetParam().name;
    if (std::system((shell + " -c true >/dev/null 2>&1").c_str()) != 0) {  // NOLINT
        GTEST_SKIP() << shell << " is not installed";
    }
    const auto path = std::string(ROUTERD_SOURCE_DIR) + "/completions/" + GetParam().file;
    EXPECT_EQ(std::system((shell + " -n '" + path + "'").c_str()), 0);  // NOLINT
}

INSTANTIATE_TEST_SUITE_P(All, ScriptTest,
                         testing::Values(Shell{"bash", "routerctl.bash"},
                                         Shell{"zsh", "_routerctl"},
                                         Shell{"fish", "routerctl.fish"}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace routerd::ctl
