#include <algorithm>

#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::vector<std::string> ids_of(const Result<api::ModelList>& list) {
    std::vector<std::string> ids;
    for (const auto& model : list.value().items) {
        ids.push_back(model.id);
    }
    return ids;
}

TEST_F(ControlTest, ListsModelsWithFiltersAndPages) {
    live([](Client& client) {
        EXPECT_THAT(ids_of(client.models({})), ElementsAre("a", "b"));
        ASSERT_TRUE(client.change("b", {.set = {{"enabled", "false"}, {"tier", "powerful"}}}));
        EXPECT_THAT(ids_of(client.models({})), ElementsAre("a"));
        EXPECT_THAT(ids_of(client.models({.all = true})), ElementsAre("a", "b"));
        EXPECT_THAT(ids_of(client.models({.all = true, .tier = "powerful"})), ElementsAre("b"));
        EXPECT_THAT(ids_of(client.models({.all = true, .prefix = "B"})), ElementsAre("b"));
        const auto page = client.models({.all = true, .limit = 1});
        EXPECT_THAT(ids_of(page), ElementsAre("a"));
        EXPECT_EQ(page->next, "a");
        const auto wrong = client.models({.tier = "quick"});
        EXPECT_EQ(wrong.error().code(), Errc::invalid_request);
        EXPECT_THAT(wrong.error().hint(), HasSubstr("fast, balanced and powerful"));
    });
}

TEST_F(ControlTest, ShowsOneModelInFull) {
    live([this](Client& client) {
        const auto model = client.model("A");
        ASSERT_TRUE(model) << model.error().message();
        EXPECT_EQ(model->summary.id, "a");
        EXPECT_EQ(model->summary.state, "off");
        EXPECT_THAT(model->files, ElementsAre(dir_ / "models/a.gguf"));
        EXPECT_THAT(model->cmdline, Contains(dir_ / "models/a.gguf"));
        EXPECT_EQ(model->cmdline.front(), FAKE_LLAMA_SERVER);
        EXPECT_EQ(model->cmdline_error, "");
        EXPECT_EQ(model->gguf.version, 3U);
        const auto missing = client.model("aa");
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code(), Errc::model_not_found);
        EXPECT_THAT(missing.error().hint(), HasSubstr("did you mean 'a'?"));
    });
}

TEST_F(ControlTest, KeepsOverridesOverARestart) {
    live([](Client& client) {
        const auto changed = client.change("a", {.set = {{"context", "512"}, {"pin", "true"}},
                                                 .unset = {},
                                                 .add_aliases = {"first", "one"},
                                                 .remove_aliases = {}});
        ASSERT_TRUE(changed) << changed.error().message();
        EXPECT_TRUE(changed->summary.pinned);
        EXPECT_EQ(changed->summary.context_length, 512U);
        ASSERT_TRUE(client.change(
            "one", {.set = {}, .unset = {"pin"}, .add_aliases = {}, .remove_aliases = {"ONE"}}));
    });
    live([](Client& client) {
        const auto model = client.model("first");
        ASSERT_TRUE(model);
        EXPECT_FALSE(model->summary.pinned);
        EXPECT_THAT(model->overrides,
                    ElementsAre(Pair("aliases", R"(["first"])"), Pair("context", "512")));
        EXPECT_FALSE(client.model("one"));
    });
}

TEST_F(ControlTest, RefusesChangesThatCannotBe) {
    live([](Client& client) {
        const auto key = client.change("a", {.set = {{"contxt", "1"}}});
        EXPECT_EQ(key.error().code(), Errc::invalid_request);
        EXPECT_THAT(key.error().hint(), HasSubstr("did you mean 'context'?"));
        EXPECT_EQ(client.change("a", {}).error().code(), Errc::invalid_request);
        const api::ModelChange taken{.set = {}, .unset = {}, .add_aliases = {"b"}};
        EXPECT_EQ(client.change("a", taken).error().code(), Errc::conflict);
        const api::ModelChange none{
            .set = {}, .unset = {}, .add_aliases = {}, .remove_aliases = {"x"}};
        EXPECT_EQ(client.change("a", none).error().code(), Errc::not_found);
    });
}

TEST_F(ControlTest, PinsAndUnpins) {
    live([](Client& client) {
        EXPECT_TRUE(client.pin("a")->summary.pinned);
        EXPECT_FALSE(client.unpin("a")->summary.pinned);
        EXPECT_EQ(client.pin("none").error().code(), Errc::model_not_found);
    });
}

TEST_F(ControlTest, RescansAndTellsWhatIsBroken) {
    live([this](Client& client) {
        write_model("c.gguf");
        std::filesystem::remove(dir_ / "models/b.gguf");
        dir_.write("models/bad.gguf", "<html>");
        const auto report = client.rescan("");
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(report->found, 2U);
        EXPECT_EQ(report->added, 1U);
        EXPECT_EQ(report->removed, 1U);
        ASSERT_EQ(report->broken.size(), 1U);
        EXPECT_EQ(report->broken[0].path, dir_ / "models/bad.gguf");
        EXPECT_NE(report->broken[0].reason, "");
        EXPECT_EQ(client.rescan("/etc").error().code(), Errc::invalid_request);
    });
}

}  // namespace
}  // namespace routerd::test
