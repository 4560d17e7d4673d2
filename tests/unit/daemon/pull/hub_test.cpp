#include "daemon/pull/sources/hub.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/coroutine.hpp"
#include "tests/unit/daemon/pull/scripted_documents.hpp"

namespace routerd::pull::test {
namespace {

constexpr const char* commit = "0123456789abcdef0123456789abcdef01234567";

class HubTest : public testing::Test {
  protected:
    HubTest() {
        reference_.org = "org";
        reference_.repo = "repo";
        documents_.answer(api_ + "/revision/main", R"({"sha":")" + sha_ + R"(","gated":false})");
        documents_.answer(tree_, R"([
            {"type":"directory","path":"sub","oid":"1","size":0},
            {"type":"file","path":".gitattributes","oid":"2","size":10},
            {"type":"file","path":"m-Q4_K_M.gguf","oid":"3","size":135,
             "lfs":{"oid":")" + digest_ +
                                     R"(","size":5000,"pointerSize":135}},
            {"type":"file","path":"sub/a #1-Q8_0.gguf","oid":"4","size":9000},
            {"type":"file","path":"../evil-Q4_K_S.gguf","oid":"5","size":1},
            {"type":"file","path":"mmproj-F16.gguf","oid":"6","size":7}])");
    }

    Result<Plan> resolve() {
        Result<Plan> result = Error();
        routerd::test::run(resolve_into(result));
        return result;
    }

    std::string error() {
        const auto result = resolve();
        return result ? "none"
                      : std::string(to_string(result.error().code())) + ": " +
                            result.error().message();
    }

    std::string sha_ = commit;
    std::string digest_ = std::string(64, 'a');
    std::string api_ = "https://huggingface.co/api/models/org/repo";
    std::string tree_ = api_ + "/tree/" + sha_ + "?recursive=true";
    ScriptedDocuments documents_;
    HubReference reference_;
    HubOptions options_;

  private:
    asio::awaitable<void> resolve_into(Result<Plan>& result) {
        auto plan = co_await resolve_hub(documents_, reference_, options_);
        result = std::move(plan);
    }
};

TEST_F(HubTest, PlansAModelWithItsProjector) {
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_EQ(plan->name, "org/repo:Q4_K_M");
    ASSERT_EQ(plan->files.size(), 2U);
    EXPECT_EQ(plan->files[0].path, "org/repo/m-Q4_K_M.gguf");
    EXPECT_EQ(plan->files[0].url,
              "https://huggingface.co/org/repo/resolve/" + sha_ + "/m-Q4_K_M.gguf");
    EXPECT_EQ(plan->files[0].size, 5000U);
    EXPECT_EQ(plan->files[0].sha256, digest_);
    EXPECT_EQ(plan->files[1].sha256, "");
    EXPECT_EQ(plan->hub->repo, "org/repo");
    EXPECT_EQ(plan->hub->revision, sha_);
    EXPECT_EQ(plan->notes.at(0).find("left out: '../evil-Q4_K_S.gguf'"), 0U);
}

TEST_F(HubTest, PlacesTheProjectorBesideItsModel) {
    reference_.tag = "q8_0";
    const auto plan = resolve();
    EXPECT_EQ(plan->name, "org/repo:Q8_0");
    EXPECT_EQ(plan->files.at(0).path, "org/repo/sub/a #1-Q8_0.gguf");
    EXPECT_EQ(plan->files.at(0).url,
              "https://huggingface.co/org/repo/resolve/" + sha_ + "/sub/a%20%231-Q8_0.gguf");
    EXPECT_EQ(plan->files.at(1).path, "org/repo/sub/mmproj-F16.gguf");
    EXPECT_EQ(plan->files.at(1).url,
              "https://huggingface.co/org/repo/resolve/" + sha_ + "/mmproj-F16.gguf");
}

TEST_F(HubTest, SendsTheTokenAndTakesTheRevision) {
    reference_.revision = "refs/pr/3";
    options_.token = "hf_canary";
    documents_.answer(api_ + "/revision/refs%2Fpr%2F3", R"({"sha":")" + sha_ + R"("})");
    EXPECT_TRUE(resolve());
    for (const auto& request : documents_.asked) {
        EXPECT_EQ(request.token, "hf_canary");
    }
}

TEST_F(HubTest, AsksAMirrorBelowItsPath) {
    options_.endpoint = "http://mirror.example:8080/hf/";
    const std::string api = "http://mirror.example:8080/hf/api/models/org/repo";
    documents_.answer(api + "/revision/main", R"({"sha":")" + sha_ + R"(","gated":"auto"})");
    documents_.answer(api + "/tree/" + sha_ + "?recursive=true",
                      R"([{"type":"file","path":"m.gguf","size":1}])");
    const auto plan = resolve();
    ASSERT_TRUE(plan) << plan.error().message();
    EXPECT_EQ(plan->name, "org/repo");
    EXPECT_EQ(plan->files.at(0).url,
              "http://mirror.example:8080/hf/org/repo/resolve/" + sha_ + "/m.gguf");
    EXPECT_EQ(plan->notes.at(0), "it is gated: its files may need a token");
}

TEST_F(HubTest, FollowsThePagesOfAListing) {
    const auto second = tree_ + "&cursor=abc";
    documents_.answer(tree_, R"([{"type":"file","path":"m-Q8_0.gguf","size":9}])", 200,
                      {{"link", "<" + api_ + "/x>; rel=\"prev\", <" + second + ">; rel=\"next\""}});
    documents_.answer(second, R"([{"type":"file","path":"m-Q4_K_M.gguf","size":5}])");
    EXPECT_EQ(resolve()->name, "org/repo:Q4_K_M");
}

TEST_F(HubTest, DoesNotFollowAListingToAnotherHostNorForEver) {
    documents_.answer(tree_, "[]", 200, {{"link", "<https://evil.example/>; rel=\"next\""}});
    EXPECT_EQ(error(),
              "upstream_error: find 'org/repo' on the hub: its listing goes on at another host");
    documents_.answer(tree_, "[]", 200, {{"link", "<" + tree_ + ">; rel=\"next\""}});
    documents_.asked.clear();
    EXPECT_EQ(error().find("upstream_error"), 0U);
    EXPECT_LT(documents_.asked.size(), 60U);
}

TEST_F(HubTest, RefusesAListingThatIsTooLong) {
    std::string listing = "[";
    for (int i = 0; i <= 20'000; ++i) {
        listing += R"({"type":"file","path":")" + std::to_string(i) + R"(.gguf"},)";
    }
    documents_.answer(tree_, listing + "null]");
    EXPECT_EQ(error(),
              "upstream_error: find 'org/repo' on the hub: its listing has more than 20000 files");
}

TEST_F(HubTest, SaysWhenItIsRefused) {
    documents_.answer(api_ + "/revision/main", "", 401, {{"x-error-code", "RepoNotFound"}});
    EXPECT_EQ(error(), "forbidden: find 'org/repo' on the hub: the hub refuses it with status 401");
    EXPECT_NE(resolve().error().hint().find("HF_TOKEN"), std::string::npos);
    documents_.answer(api_ + "/revision/main", "", 403, {{"x-error-code", "GatedRepo"}});
    options_.token = "hf_canary";
    EXPECT_EQ(
        error(),
        "forbidden: find 'org/repo' on the hub: it is gated: its owners decide who may have it");
    EXPECT_EQ(resolve().error().hint(),
              "ask for access on its page, with the account of the token");
    documents_.answers.clear();
    EXPECT_EQ(error(), "not_found: find 'org/repo' on the hub: the hub has no such repository");
}

TEST_F(HubTest, SaysAtOnceThatAGatedRepositoryNeedsAToken) {
    documents_.answer(api_ + "/revision/main", R"({"sha":")" + sha_ + R"(","gated":"manual"})");
    EXPECT_EQ(error().find("forbidden"), 0U);
    options_.token = "hf_canary";
    EXPECT_EQ(error(), "none");
}

TEST_F(HubTest, StandsAnswersThatMakeNoSense) {
    for (const auto* body : {"", "<html>", "[]", "{}", R"({"sha":"../../x"})", R"({"sha":7})"}) {
        documents_.answer(api_ + "/revision/main", body);
        EXPECT_EQ(error().find("upstream_error"), 0U) << body;
    }
    documents_.answer(api_ + "/revision/main", R"({"sha":")" + sha_ + R"("})");
    for (const auto* body : {"", "{}", "[", "null"}) {
        documents_.answer(tree_, body);
        EXPECT_EQ(error().find("upstream_error"), 0U) << body;
    }
    documents_.answer(tree_,
                      R"([1, null, {}, [], {"type":"file"}, {"type":"file","path":"x-Q8_0.gguf",
                               "lfs":null,"size":-1}, {"type":"file","path":7}])");
    EXPECT_EQ(error(), "none");
    documents_.answer(tree_, "[]", 503);
    EXPECT_EQ(error(), "upstream_error: find 'org/repo' on the hub: it answers with status 503");
}

TEST_F(HubTest, SaysWhatARepositoryWithoutGgufLacks) {
    documents_.answer(tree_, R"([{"type":"file","path":"model.safetensors","size":1}])");
    EXPECT_EQ(error(), "not_found: find 'org/repo' on the hub: it has no model in GGUF files");
}

TEST_F(HubTest, TakesIncludedFilesFromWhereTheyAre) {
    options_.include = {"*Q8_0*", "mmproj*"};
    const auto plan = resolve();
    EXPECT_EQ(plan->files.at(0).path, "org/repo/sub/a #1-Q8_0.gguf");
    EXPECT_EQ(plan->files.at(1).path, "org/repo/mmproj-F16.gguf");
}

TEST_F(HubTest, RefusesAnEndpointThatIsNoUrl) {
    options_.endpoint = "file:///etc";
    EXPECT_EQ(error().find("invalid_request"), 0U);
    EXPECT_TRUE(documents_.asked.empty());
}

}  // namespace
}  // namespace routerd::pull::test
