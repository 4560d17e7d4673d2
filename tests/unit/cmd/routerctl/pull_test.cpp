#include <csignal>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cmd/routerctl/pull_view.hpp"
#include "common/api/codec.hpp"
#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

constexpr const char* begin_pulls = "POST /control/v1/pulls";
constexpr const char* follow_three = "GET /control/v1/pulls/3?follow=true";

api::Pull pull_in(const std::string& state, std::uint64_t done) {
    api::PullFile file;
    file.name = "m-Q4_K_M.gguf";
    file.state = "downloading";
    file.size = 1000;
    file.done = done;
    api::Pull pull;
    pull.id = "3";
    pull.ref = "org/m";
    pull.name = "org/m:Q4_K_M";
    pull.state = state;
    pull.size = 1000;
    pull.done = done;
    pull.files = {file};
    pull.notes = {"chose Q4_K_M"};
    return pull;
}

api::Pull complete_pull() {
    auto pull = pull_in("complete", 1000);
    pull.models = {"m-q4_k_m", "m-projector"};
    return pull;
}

std::string events(const std::vector<api::Pull>& pulls) {
    std::string text;
    for (const auto& pull : pulls) {
        text += "event: pull\ndata: " + api::encode(pull) + "\n\n";
    }
    return text;
}

class PullTest : public CtlTest {
  protected:
    PullTest() {
        auto begun = pull_in("resolving", 0);
        begun.size.reset();
        begun.files.clear();
        begun.notes.clear();
        daemon_.answer_json(begin_pulls, api::encode(begun), "201 Created");
    }

    api::PullRequest sent() const {
        return *api::decode<api::PullRequest>(daemon_.seen().at(0).body);
    }
};

TEST_F(PullTest, PrintsTheModelsAndALineForEachTenPercent) {
    daemon_.answer_stream(
        follow_three,
        events({pull_in("downloading", 0), pull_in("downloading", 90), pull_in("downloading", 110),
                pull_in("downloading", 190), pull_in("downloading", 650), complete_pull()}));
    const auto outcome = ctl({"pull", "org/m"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "m-q4_k_m\nm-projector\n");
    EXPECT_EQ(outcome.err,
              "routerctl: chose Q4_K_M\n"
              "org/m:Q4_K_M: 0 % of 1.0 KiB\n"
              "org/m:Q4_K_M: 11 % of 1.0 KiB\n"
              "org/m:Q4_K_M: 65 % of 1.0 KiB\n"
              "org/m:Q4_K_M: 100 % of 1.0 KiB\n");
}

TEST_F(PullTest, SendsItsOptions) {
    const auto file = daemon_.folder() + "/token";
    std::ofstream(file) << "hf_secret\n";
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    const auto outcome =
        ctl({"pull", "org/m", "-d", "--connections", "3", "--limit-rate", "20M", "--include",
             "*Q4*", "--include", "mmproj*", "--token-file", file, "--sha256", "ab", "--insecure"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "3\n");
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(sent().ref, "org/m");
    EXPECT_EQ(sent().connections, 3U);
    EXPECT_EQ(sent().limit_rate, "20M");
    EXPECT_EQ(sent().include, (std::vector<std::string>{"*Q4*", "mmproj*"}));
    EXPECT_EQ(sent().token, "hf_secret");
    EXPECT_EQ(sent().sha256, "ab");
    EXPECT_TRUE(sent().insecure);
}

TEST_F(PullTest, LeavesToTheDaemonWhatIsNotSaid) {
    EXPECT_EQ(ctl({"pull", "--detach", "org/m"}).out, "3\n");
    EXPECT_EQ(sent().connections, std::nullopt);
    EXPECT_EQ(sent().limit_rate, std::nullopt);
    EXPECT_EQ(sent().token, std::nullopt);
    EXPECT_EQ(sent().sha256, std::nullopt);
    EXPECT_FALSE(sent().insecure);
    EXPECT_EQ(ctl({"pull", "org/m", "--connections", "0"}).code, 2);
    EXPECT_EQ(ctl({"pull"}).code, 2);
}

TEST_F(PullTest, ReadsATokenFromTheInputAndWarnsOfAnOpenFile) {
    EXPECT_EQ(ctl({"pull", "-d", "org/m", "--token-file", "-"}, "  hf_secret \n").code, 0);
    EXPECT_EQ(sent().token, "hf_secret");
    const auto file = daemon_.folder() + "/token";
    std::ofstream(file) << "hf_secret\n";
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    EXPECT_EQ(ctl({"pull", "-d", "org/m", "--token-file", file}).err,
              "routerctl: others may read '" + file + "', which holds a token: chmod 600 it\n");
    EXPECT_EQ(ctl({"pull", "-d", "org/m", "--token-file", "-"}, " \n").code, 2);
    EXPECT_EQ(ctl({"pull", "-d", "org/m", "--token-file", file + "x"}).code, 1);
}

TEST_F(PullTest, PrintsTheWholePullAsJsonAndNothingButIdsWhenQuiet) {
    daemon_.answer_stream(follow_three, events({pull_in("downloading", 500), complete_pull()}));
    const auto pull = api::decode<api::Pull>(ctl({"pull", "org/m", "--json"}).out);
    ASSERT_TRUE(pull) << pull.error().message();
    EXPECT_EQ(api::encode(*pull), api::encode(complete_pull()));
    EXPECT_EQ(ctl({"pull", "org/m", "--format", "{{.id}} {{.state}}"}).out, "3 complete\n");
    const auto quiet = ctl({"pull", "org/m", "-q"});
    EXPECT_EQ(quiet.out, "m-q4_k_m\nm-projector\n");
    EXPECT_EQ(quiet.err, "");
}

TEST_F(PullTest, FailsWithTheKindOfTheFailure) {
    auto failed = pull_in("failed", 0);
    failed.notes.clear();
    failed.error = "no such repository";
    failed.hint = "is it spelled right?";
    failed.code = "not_found";
    daemon_.answer_stream(follow_three, events({failed}));
    const auto outcome = ctl({"pull", "org/m", "-q"});
    EXPECT_EQ(outcome.code, 4);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err,
              "routerctl: pull 'org/m:Q4_K_M': no such repository\nhint: is it spelled right?\n");
    failed.code = "forbidden";
    daemon_.answer_stream(follow_three, events({failed}));
    EXPECT_EQ(ctl({"pull", "org/m"}).code, 5);
    failed.code = "";
    failed.hint = "";
    daemon_.answer_stream(follow_three, events({failed}));
    const auto unknown = ctl({"pull", "org/m", "--json"});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_TRUE(unknown.err.ends_with("hint: to go on: routerctl pulls resume 3\n")) << unknown.err;
    EXPECT_EQ(api::decode<api::Pull>(unknown.out)->state, "failed");
}

TEST_F(PullTest, ARefusalIsPassedOn) {
    daemon_.answer_json(begin_pulls,
                        R"({"error":{"message":"'ftp' is no scheme","code":"invalid_request"}})",
                        "400 Bad Request");
    const auto outcome = ctl({"pull", "ftp://x"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.err, "routerctl: 'ftp' is no scheme\n");
}

TEST_F(PullTest, SaysWhyItTriesAgainAndThatItWasPaused) {
    auto retrying = pull_in("retrying", 300);
    retrying.error = "the origin\x1b answered 503";
    auto paused = pull_in("paused", 300);
    daemon_.answer_stream(follow_three, events({retrying, retrying, paused}));
    const auto outcome = ctl({"pull", "org/m"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_EQ(outcome.err,
              "routerctl: chose Q4_K_M\n"
              "org/m:Q4_K_M: retrying: the origin\\x1B answered 503\n"
              "org/m:Q4_K_M: 30 % of 1.0 KiB\n"
              "routerctl: pull 3 is paused; to go on: routerctl pulls resume 3\n");
    paused.error = "the disk is full";
    daemon_.answer_stream(follow_three, events({paused}));
    EXPECT_EQ(ctl({"pull", "org/m"}).code, 1);
}

TEST_F(PullTest, GoesOnWithTheNextDaemon) {
    daemon_.answer_stream(follow_three, events({pull_in("downloading", 300)}));
    daemon_.then(follow_three,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n5\r\neve");
    daemon_.then_stream(follow_three, events({complete_pull()}));
    const auto outcome = ctl({"pull", "org/m"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "m-q4_k_m\nm-projector\n");
    EXPECT_EQ(outcome.err,
              "routerctl: chose Q4_K_M\n"
              "org/m:Q4_K_M: 30 % of 1.0 KiB\n"
              "routerctl: the daemon went away; waiting for it to come back\n"
              "routerctl: the daemon is back\n"
              "org/m:Q4_K_M: 100 % of 1.0 KiB\n");
}

TEST_F(PullTest, IsDrawnOnATerminalOfAnySize) {
    const UniqueFd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    winsize size{};
    size.ws_col = 50;
    size.ws_row = 10;
    ASSERT_EQ(::ioctl(terminal.get(), TIOCSWINSZ, &size), 0);
    err_is_tty_ = true;
    err_fd_ = terminal.get();
    environment_["LANG"] = "C.UTF-8";
    daemon_.answer_stream(follow_three, events({pull_in("downloading", 500), complete_pull()}));
    const auto outcome = ctl({"pull", "org/m", "--no-color"});
    EXPECT_EQ(outcome.out, "m-q4_k_m\nm-projector\n");
    const std::string resolving =
        "\rorg/m:Q4_K_M        ░░░░░░░░░░░░░░░░░░  resolving\x1b[K\n\x1b[J";
    EXPECT_TRUE(outcome.err.starts_with(resolving)) << outcome.err;
    const std::string rest =
        "\r\x1b[1A\x1b[Jrouterctl: chose Q4_K_M\n"
        "\rm-Q4_K_M.gguf   50%  ████████░░░░░░░░░\x1b[K\n\x1b[J"
        "\r\x1b[1Am-Q4_K_M.gguf  100%  █████████████████  done\x1b[K\n\x1b[J"
        "\r\x1b[K";
    EXPECT_EQ(outcome.err.substr(resolving.size()), rest);
    EXPECT_NE(ctl({"pull", "org/m"}).err.find("\x1b[32m█████████████████\x1b[0m"),
              std::string::npos);
    environment_["LC_ALL"] = "C";
    EXPECT_NE(ctl({"pull", "org/m"}).err.find("########"), std::string::npos);
    environment_["TERM"] = "dumb";
    EXPECT_EQ(ctl({"pull", "org/m"}).err.find('\x1b'), std::string::npos);
}

/// follow_pull() itself, with its own Interrupt.
class FollowTest : public CtlTest {
  protected:
    ~FollowTest() override { interrupt_.clear(); }

    int follow_it(std::chrono::milliseconds wait) {
        client::Options options;
        options.addresses = {*client::parse_address(host_)};
        options.stop_fd = interrupt_.fd();
        Context context{.terminal = terminal_,
                        .client = client::Client(std::move(options)),
                        .interrupt = interrupt_,
                        .format = {},
                        .colors = Palette(),
                        .err_colors = Palette(),
                        .no_trunc = false,
                        .now = {},
                        .environment = {}};
        return follow_pull(context, pull_in("downloading", 500), wait);
    }

    std::string host_ = daemon_.host();
    std::ostringstream out_;
    std::ostringstream err_;
    Terminal terminal_{.out = out_, .err = err_};
    Interrupt interrupt_;
};

TEST_F(FollowTest, CtrlCLeavesItRunningAndSaysHowToComeBack) {
    daemon_.answer_and_hold(follow_three,
                            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    ASSERT_EQ(::raise(SIGINT), 0);
    EXPECT_EQ(follow_it(std::chrono::seconds(10)), 130);
    EXPECT_EQ(out_.str(), "");
    EXPECT_TRUE(
        err_.str().ends_with("routerctl: pull 3 goes on without you\n"
                             "  come back:  routerctl pulls attach 3\n"
                             "  pause it:   routerctl pulls pause 3\n"
                             "  cancel it:  routerctl pulls rm 3\n"))
        << err_.str();
}

TEST_F(FollowTest, GivesUpOnADaemonThatStaysAway) {
    host_ = "unix://" + daemon_.folder() + "/none.sock";
    EXPECT_EQ(follow_it(std::chrono::milliseconds(300)), 6);
    EXPECT_TRUE(
        err_.str().ends_with("routerctl: the daemon went away; waiting for it to come back\n"
                             "routerctl: the daemon did not come back within 300 ms\n"
                             "hint: when it runs again: routerctl pulls attach 3\n"))
        << err_.str();
}

TEST_F(FollowTest, CtrlCEndsTheWaitForADaemonToo) {
    host_ = "unix://" + daemon_.folder() + "/none.sock";
    ASSERT_EQ(::raise(SIGINT), 0);
    EXPECT_EQ(follow_it(std::chrono::hours(1)), 130);
}

TEST_F(PullTest, AttachesToOneThatIsUnderWay) {
    daemon_.answer_json("GET /control/v1/pulls/3", api::encode(pull_in("downloading", 500)));
    daemon_.answer_stream(follow_three, events({complete_pull()}));
    const auto outcome = ctl({"pulls", "attach", "3"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "m-q4_k_m\nm-projector\n");
    EXPECT_EQ(ctl({"pulls", "attach", "3", "4"}).code, 2);
    daemon_.answer_json("GET /control/v1/pulls/3", api::encode(complete_pull()));
    daemon_.answer_stream(follow_three, "");
    EXPECT_EQ(ctl({"pulls", "attach", "3"}).out, "m-q4_k_m\nm-projector\n");
    daemon_.answer_json("GET /control/v1/pulls/4",
                        R"({"error":{"message":"no pull '4'","code":"not_found"}})",
                        "404 Not Found");
    EXPECT_EQ(ctl({"pulls", "attach", "4"}).code, 4);
}

TEST_F(PullTest, PausesResumesRemovesAndLimits) {
    daemon_.answer_json("POST /control/v1/pulls/3/pause", R"({"id":"3"})");
    daemon_.answer_json("POST /control/v1/pulls/4/pause",
                        R"({"error":{"message":"no pull '4'","code":"not_found"}})",
                        "404 Not Found");
    daemon_.answer_json("POST /control/v1/pulls/5/pause", R"({"id":"5"})");
    const auto paused = ctl({"pulls", "pause", "3", "4", "5"});
    EXPECT_EQ(paused.code, 4);
    EXPECT_EQ(paused.out, "3\n5\n");
    daemon_.answer_json("DELETE /control/v1/pulls/3", R"({"id":"3"})");
    EXPECT_EQ(ctl({"pulls", "rm", "3"}).out, "3\n");
    daemon_.answer_json("PATCH /control/v1/pulls/3", R"({"id":"3"})");
    EXPECT_EQ(ctl({"pulls", "limit", "3", "20M"}).out, "3\n");
    EXPECT_EQ(api::decode<api::PullChange>(daemon_.seen().back().body)->limit_rate, "20M");
    EXPECT_EQ(ctl({"pulls", "limit", "3"}).code, 2);
}

TEST_F(PullTest, ResumesWithAnotherToken) {
    daemon_.answer_json("POST /control/v1/pulls/3/resume", R"({"id":"3"})");
    EXPECT_EQ(ctl({"pulls", "resume", "3"}).out, "3\n");
    EXPECT_EQ(api::decode<api::PullChange>(daemon_.seen().back().body)->token, std::nullopt);
    EXPECT_EQ(ctl({"pulls", "resume", "3", "--token-file", "-"}, "hf_new\n").out, "3\n");
    EXPECT_EQ(api::decode<api::PullChange>(daemon_.seen().back().body)->token, "hf_new");
}

}  // namespace
}  // namespace routerd::ctl
