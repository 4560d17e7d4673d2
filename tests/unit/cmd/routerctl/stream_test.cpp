#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

TEST_F(CtlTest, SwitchTellsItsStagesOnStderrAndTheModelOnStdout) {
    daemon_.answer_stream(
        "POST /control/v1/switch",
        "event: stage\ndata: {\"name\":\"drain\",\"model\":\"old\",\"ms\":null}\n\n"
        "event: stage\ndata: {\"name\":\"drain\",\"model\":\"old\",\"ms\":40}\n\n"
        "event: stage\ndata: {\"name\":\"load\",\"model\":\"q\",\"ms\":1200,"
        "\"message\":\"from disk\"}\n\n"
        "event: done\ndata: {\"model\":\"q\",\"total_ms\":1250}\n\n");
    const auto outcome = ctl({"switch", "q"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "q  1.2 s\n");
    EXPECT_EQ(outcome.err, "drain old  40 ms\nload q: from disk  1.2 s\n");
}

TEST_F(CtlTest, SwitchThatFailsSaysWhy) {
    daemon_.answer_stream("POST /control/v1/switch",
                          "event: error\ndata: {\"error\":{\"message\":\"load 'q': no\","
                          "\"code\":\"would_not_fit\"}}\n\n");
    const auto outcome = ctl({"switch", "q"});
    EXPECT_EQ(outcome.code, 5);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "routerctl: load 'q': no\n");
}

TEST_F(CtlTest, SwitchWithoutWaitingAnswersAtOnce) {
    daemon_.answer_json("POST /control/v1/switch", R"({"model":"q","state":"starting"})",
                        "202 Accepted");
    EXPECT_EQ(ctl({"switch", "--no-wait", "q"}).out, "q\n");
}

TEST_F(CtlTest, FollowsLogsAndEventsToTheirEnd) {
    daemon_.answer_stream("GET /control/v1/models/q/logs?lines=50&follow=true",
                          "event: log\ndata: {\"time\":null,\"text\":\"one\\u001b\"}\n\n"
                          ": still here\n\n"
                          "event: log\ndata: {\"time\":null,\"text\":\"two\"}\n\n");
    EXPECT_EQ(ctl({"logs", "-f", "q"}).out, "one\\x1B\ntwo\n");

    daemon_.answer_stream("GET /control/v1/events?limit=100&follow=true",
                          "id: 4\nevent: event\ndata: {\"id\":4,\"type\":\"instance.ready\"}\n\n");
    EXPECT_EQ(ctl({"events", "-f", "--format", "{{.id}} {{.type}}"}).out, "4 instance.ready\n");
}

TEST_F(CtlTest, FollowsRequests) {
    daemon_.answer_stream(
        "GET /control/v1/requests?limit=2&follow=true",
        "event: request\ndata: {\"id\":4,\"request\":\"r-4\",\"model\":\"q\",\"status\":200,"
        "\"started\":\"2026-11-21T14:59:00Z\",\"took_ms\":1500}\n\n"
        "event: request\ndata: {\"id\":5,\"request\":\"r\\u001b5\",\"status\":404,"
        "\"started\":\"2026-11-21T14:59:01Z\",\"error\":\"no model\"}\n\n");
    EXPECT_EQ(ctl({"requests", "-f", "-n", "2"}).out,
              "2026-11-21T14:59:00.000Z  r-4  q  200  1.5 s\n"
              "2026-11-21T14:59:01.000Z  r\\x1B5  -  404  0 ms  no model\n");
}

TEST_F(CtlTest, RequestsRefusesAnOddDuration) {
    const auto outcome = ctl({"requests", "--slow", "soon"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_TRUE(outcome.err.starts_with("routerctl: --slow: ")) << outcome.err;
}

TEST_F(CtlTest, DoctorShowsItsOwnCheckFirst) {
    daemon_.answer_json("GET /control/v1/doctor",
                        R"({"items":[{"name":"llama-server","status":"failed",)"
                        R"("message":"not found","hint":"install it"}]})");
    const auto sick = ctl({"doctor"});
    EXPECT_EQ(sick.code, 1);
    EXPECT_EQ(sick.out, "ok       daemon: answers at " + daemon_.host() +
                            "\nfailed   llama-server: not found\n         hint: install it\n");
    environment_["ROUTERD_HOST"] = "unix://" + daemon_.folder() + "/none.sock";
    const auto down = ctl({"doctor"});
    EXPECT_EQ(down.code, 6);
    EXPECT_TRUE(down.out.starts_with("failed   daemon: no daemon answers at ")) << down.out;
}

TEST_F(CtlTest, VersionNeedsNoDaemon) {
    environment_["ROUTERD_HOST"] = "unix://" + daemon_.folder() + "/none.sock";
    const auto outcome = ctl({"version"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "routerctl " ROUTERD_VERSION "\nrouterd   not reachable\n");
}

TEST_F(CtlTest, ConfigCheckNeedsNoDaemon) {
    environment_ = {};
    const auto file = daemon_.folder() + "/r.toml";
    std::ofstream(file) << "[http]\nlisten = [\"127.0.0.1:0\"]\n";
    EXPECT_EQ(ctl({"config", "check", file}).out, file + ": ok\n");

    std::ofstream(file) << "[http]\nlisen = 3\n[log]\nlevel = \"loud\"\n";
    const auto outcome = ctl({"config", "check", file});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find("lisen"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("loud"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace routerd::ctl
