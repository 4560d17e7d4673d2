#include "cmd/routerctl/exit_code.hpp"
#include "ctl_fixture.hpp"

namespace routerd::ctl {
namespace {

constexpr const char* estimate = "POST /control/v1/estimate";

class ExplainTest : public CtlTest {
  protected:
    void answer_not_found(const char* request, const std::string& code) {
        daemon_.answer_json(request,
                            R"({"error":{"message":"it is not there","code":")" + code +
                                R"(","hint":"look again"}})",
                            "404 Not Found");
    }
};

TEST_F(ExplainTest, AnEstimateAsksWithTheParametersThatAreGiven) {
    daemon_.answer_json(estimate, R"({"model":"q","verdict":"fits","reason":"it does"})");
    const auto outcome =
        ctl({"estimate", "q", "--ctx", "8192", "--parallel=2", "--cache-type", "q8_0"});
    EXPECT_EQ(outcome.code, exit_ok) << outcome.err;
    EXPECT_EQ(outcome.out, "q: fits: it does\n");
    ASSERT_EQ(daemon_.seen().size(), 1U);
    EXPECT_EQ(daemon_.seen()[0].body,
              R"({"cache_type":"q8_0","context":8192,"model":"q","parallel":2})");
}

TEST_F(ExplainTest, AnEstimateOfWhatWouldNotFitIsShownAndRefused) {
    daemon_.answer_json(estimate, R"({"model":"q","verdict":"would_not_fit","reason":"too big"})");
    const auto outcome = ctl({"estimate", "q"});
    EXPECT_EQ(outcome.code, exit_refused);
    EXPECT_EQ(outcome.out, "q: would_not_fit: too big\n");
    EXPECT_EQ(ctl({"estimate", "q", "--json"}).code, exit_refused);
    EXPECT_EQ(ctl({"estimate", "q", "-q"}).out, "q\n");
}

TEST_F(ExplainTest, UnknownNamesAreNotFound) {
    answer_not_found(estimate, "model_not_found");
    answer_not_found("GET /control/v1/explain?name=none", "not_found");
    answer_not_found("DELETE /control/v1/queue/none", "not_found");
    EXPECT_EQ(ctl({"estimate", "none"}).code, exit_not_found);
    EXPECT_EQ(ctl({"why", "none"}).code, exit_not_found);
    const auto outcome = ctl({"queue", "cancel", "none"});
    EXPECT_EQ(outcome.code, exit_not_found);
    EXPECT_EQ(outcome.err, "routerctl: it is not there\nhint: look again\n");
}

TEST_F(ExplainTest, CancelsEachAndPrintsWhich) {
    daemon_.answer_json("DELETE /control/v1/queue/req-1", R"({"id":"req-1","model":"q"})");
    daemon_.answer_json("DELETE /control/v1/queue/7", R"({"id":"7","model":"q"})");
    const auto outcome = ctl({"queue", "cancel", "req-1", "7"});
    EXPECT_EQ(outcome.code, exit_ok) << outcome.err;
    EXPECT_EQ(outcome.out, "req-1\n7\n");
    EXPECT_EQ(ctl({"queue", "cancel"}).code, exit_usage);
}

TEST_F(ExplainTest, SaysWhenNothingWasDecided) {
    daemon_.answer_json("GET /control/v1/explain?name=q", R"({"items":[],"next":null})");
    const auto outcome = ctl({"why", "q"});
    EXPECT_EQ(outcome.code, exit_ok);
    EXPECT_EQ(outcome.out, "WHEN  MODEL  DECISION  REASON\n");
    EXPECT_EQ(outcome.err, "routerctl: nothing was decided about 'q' since the daemon's start\n");
}

}  // namespace
}  // namespace routerd::ctl
