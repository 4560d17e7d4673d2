#include <nlohmann/json.hpp>

#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

constexpr const char* chat = "POST /v1/chat/completions";
constexpr const char* stream =
    ": queued 1\n\n"
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"},\"finish_reason\":null}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\" you\"},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"total_tokens\":5},\"timings\":{\"cache_n\":0}}\n\n"
    "data: [DONE]\n\n";

class RunTest : public CtlTest {
  protected:
    RunTest() { daemon_.answer_stream(chat, stream); }

    nlohmann::json sent(std::size_t index) const {
        return nlohmann::json::parse(daemon_.seen().at(index).body);
    }
};

TEST_F(RunTest, PrintsTheThoughtsAndTheAnswer) {
    const auto outcome = ctl({"run", "q", "say", "hello"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "hm\n\nHello you\n");
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(sent(0).at("model"), "q");
    EXPECT_EQ(sent(0).at("stream"), true);
    EXPECT_EQ(sent(0).at("messages"),
              nlohmann::json::parse(R"([{"role":"user","content":"say hello"}])"));
}

TEST_F(RunTest, TakesOptionsOfTheAnswer) {
    const auto outcome = ctl({"chat", "q", "hi", "--hide-thinking", "--system", "be brief",
                              "--max-tokens", "7", "--temperature", "0"});
    EXPECT_EQ(outcome.out, "Hello you\n");
    EXPECT_EQ(sent(0).at("max_tokens"), 7);
    EXPECT_EQ(sent(0).at("temperature"), 0.0);
    EXPECT_EQ(sent(0).at("messages").at(0).at("content"), "be brief");
}

TEST_F(RunTest, ReadsThePromptFromTheInput) {
    EXPECT_EQ(ctl({"run", "q"}, "from a pipe").code, 0);
    EXPECT_EQ(sent(0).at("messages").at(0).at("content"), "from a pipe");
    EXPECT_EQ(ctl({"run", "q", "sum up:", "-"}, "text").code, 0);
    EXPECT_EQ(sent(1).at("messages").at(0).at("content"), "sum up: text");
}

TEST_F(RunTest, PrintsJson) {
    const auto answer = nlohmann::json::parse(ctl({"run", "q", "hi", "--json"}).out);
    EXPECT_EQ(answer, nlohmann::json::parse(
                          R"({"model":"q","content":"Hello you","reasoning":"hm",
                          "finish_reason":"stop","usage":{"total_tokens":5},
                          "timings":{"cache_n":0}})"));
}

TEST_F(RunTest, TalksLineByLineOnATerminal) {
    in_is_tty_ = true;
    const auto outcome = ctl({"run", "q"}, "one\ntwo\n/clear\nthree\n/bye\nnever\n");
    EXPECT_EQ(outcome.code, 0);
    ASSERT_EQ(daemon_.seen().size(), 3U);
    EXPECT_EQ(sent(0).at("messages").size(), 1U);
    EXPECT_EQ(sent(1).at("messages").size(), 3U);
    EXPECT_EQ(sent(1).at("messages").at(1).at("content"), "Hello you");
    EXPECT_EQ(sent(2).at("messages").size(), 1U);
}

TEST_F(RunTest, AnAnswerThatIsCutOffIsAnError) {
    daemon_.answer_stream(chat, "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n");
    const auto cut = ctl({"run", "q", "hi"});
    EXPECT_EQ(cut.code, 1);
    EXPECT_EQ(cut.out, "Hel\n");
    EXPECT_EQ(cut.err, "routerctl: the answer was cut off\n");

    daemon_.answer_stream(chat,
                          "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n"
                          "event: error\ndata: {\"error\":{\"message\":\"the server died\","
                          "\"code\":\"upstream_error\"}}\n\n");
    EXPECT_EQ(ctl({"run", "q", "hi"}).err, "routerctl: the server died\n");
}

}  // namespace
}  // namespace routerd::ctl
