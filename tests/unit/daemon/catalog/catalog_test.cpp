#include "daemon/catalog/catalog.hpp"

#include <filesystem>
#include <functional>

#include <gtest/gtest.h>

#include "daemon/store/store.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

using Scenario = std::function<asio::awaitable<void>(Catalog&)>;

class CatalogTest : public testing::Test {
  protected:
    CatalogTest() {
        config_.models.dirs = {folder_ / "models"};
        config_.models.stores = {};
        fs::create_directories(folder_ / "state");
        write("a.gguf");
        write("b.gguf");
    }

    void write(const std::string& name) {
        folder_.write("models/" + name, test::GgufWriter::model().file());
    }

    /// A daemon's life: starts, does `scenario`, stops. The state stays for the next one.
    void live(const Scenario& scenario) {
        asio::io_context loop(1);
        auto store = Store::open(folder_ / "state");
        ASSERT_TRUE(store) << store.error().message();
        asio::thread_pool pool(2);
        auto sink = [this](const api::Event& event) { events_.push_back(event.type); };
        Catalog catalog({loop.get_executor(), **store, pool, sink, {{"HOME", folder_.path()}}},
                        config_);
        test::run(loop, run(catalog, scenario));
        pool.join();
        (*store)->join();
    }

    static asio::awaitable<void> run(Catalog& catalog, const Scenario& scenario) {
        const auto started = co_await catalog.start();
        EXPECT_TRUE(started);
        co_await scenario(catalog);
        co_await catalog.stop();
    }

    test::TempDir folder_;
    Config config_;
    std::vector<std::string> events_;
};

asio::awaitable<void> override_scenario(Catalog& catalog) {
    auto changes = std::vector<KeyChange>{{"context", "8192"}, {"aliases", R"(["chat"])"}};
    const auto model = co_await catalog.change("A", changes);
    EXPECT_TRUE(model);
    EXPECT_EQ((*model)->settings.context, 8192U);
    EXPECT_EQ(catalog.snapshot()->find("chat")->id, "a");
    auto unknown = std::vector<KeyChange>{{"contxt", "1"}};
    const auto refused = co_await catalog.change("a", unknown);
    EXPECT_EQ(refused.error().code(), Errc::invalid_request);
    auto taken = std::vector<KeyChange>{{"aliases", R"(["chat"])"}};
    const auto conflict = co_await catalog.change("b", taken);
    EXPECT_EQ(conflict.error().code(), Errc::conflict);
    const auto missing = co_await catalog.change("none", taken);
    EXPECT_EQ(missing.error().code(), Errc::model_not_found);
    const auto chosen = co_await catalog.set_default("chat");
    EXPECT_TRUE(chosen);
    EXPECT_EQ(catalog.snapshot()->default_model, "a");
}

asio::awaitable<void> after_restart_scenario(Catalog& catalog) {
    EXPECT_EQ(catalog.snapshot()->find("chat")->settings.context, 8192U);
    EXPECT_EQ(catalog.snapshot()->default_model, "a");
    const auto cleared = co_await catalog.clear_default();
    EXPECT_TRUE(cleared);
    EXPECT_EQ(catalog.snapshot()->default_model, "");
}

TEST_F(CatalogTest, OverridesAndDefaultSurviveARestart) {
    live(override_scenario);
    live(after_restart_scenario);
}

TEST_F(CatalogTest, OverridesSurviveTheirModelsAbsence) {
    live(override_scenario);
    fs::rename(folder_ / "models/a.gguf", folder_ / "away.gguf");
    live([](Catalog& catalog) -> asio::awaitable<void> {
        EXPECT_EQ(catalog.snapshot()->find("a"), nullptr);
        co_return;
    });
    fs::rename(folder_ / "away.gguf", folder_ / "models/a.gguf");
    live(after_restart_scenario);
}

TEST_F(CatalogTest, TellsWhatARescanChanged) {
    int changes = 0;
    live([this, &changes](Catalog& catalog) -> asio::awaitable<void> {
        catalog.on_change([&changes] { ++changes; });
        write("sub/c.gguf");
        fs::remove(folder_ / "models/b.gguf");
        folder_.write("models/bad.gguf", "<html>");
        const auto report = co_await catalog.rescan();
        EXPECT_EQ(report->found, 2U);
        EXPECT_EQ(report->added, 1U);
        EXPECT_EQ(report->removed, 1U);
        EXPECT_EQ(report->broken.size(), 1U);
        EXPECT_EQ(changes, 1);
        const auto again = co_await catalog.rescan();
        EXPECT_EQ(again->added, 0U);
        EXPECT_EQ(changes, 1);
        const auto part = co_await catalog.rescan(folder_ / "models/sub");
        EXPECT_EQ(part->found, 1U);
        const auto foreign = co_await catalog.rescan("/nowhere");
        EXPECT_EQ(foreign.error().code(), Errc::invalid_request);
    });
    EXPECT_EQ(std::count(events_.begin(), events_.end(), "catalog.scanned"), 4);
}

TEST_F(CatalogTest, KeepsIdsOverARestartWhenACopyCame) {
    const auto same = [](Catalog& catalog) -> asio::awaitable<void> {
        const auto found = co_await catalog.rescan();
        EXPECT_EQ(fs::path(catalog.snapshot()->find("b")->files.front()).parent_path().filename(),
                  "models");
        EXPECT_NE(catalog.snapshot()->find("0-b"), nullptr);
    };
    live([](Catalog&) -> asio::awaitable<void> { co_return; });
    live([this, same](Catalog& catalog) -> asio::awaitable<void> {
        write("0/b.gguf");
        co_await same(catalog);
    });
    live(same);
}

asio::awaitable<void> profile_scenario(Catalog& catalog) {
    Profile profile;
    profile.name = "Night Shift";
    profile.enabled_models = {"a"};
    profile.overrides["a"] = {{"context", "2048"}};
    profile.preload = {"*"};
    profile.default_model = "a";
    const auto created = co_await catalog.create_profile(profile);
    EXPECT_EQ(created->name, "night-shift");
    const auto twice = co_await catalog.create_profile(profile);
    EXPECT_EQ(twice.error().code(), Errc::conflict);
    auto disable = std::vector<KeyChange>{{"enabled", "false"}};
    const auto disabled = co_await catalog.change("a", disable);
    EXPECT_FALSE((*disabled)->enabled);
    const auto used = co_await catalog.use_profile("night-shift");
    EXPECT_TRUE(used->active);
    const auto removed = co_await catalog.remove_profile("night-shift");
    EXPECT_EQ(removed.error().code(), Errc::conflict);
    const auto missing = co_await catalog.use_profile("none");
    EXPECT_EQ(missing.error().code(), Errc::not_found);
}

asio::awaitable<void> under_profile_scenario(Catalog& catalog) {
    EXPECT_EQ(catalog.active_profile(), "night-shift");
    EXPECT_TRUE(catalog.snapshot()->find("a")->enabled);
    EXPECT_EQ(catalog.snapshot()->find("a")->settings.context, 2048U);
    EXPECT_FALSE(catalog.snapshot()->find("b")->enabled);
    EXPECT_EQ(catalog.snapshot()->default_model, "a");
    EXPECT_EQ(catalog.preload(), std::vector<std::string>{"a"});
    Profile larger;
    larger.name = "night-shift";
    larger.overrides["a"] = {{"context", "4096"}};
    const auto replaced = co_await catalog.replace_profile(larger);
    EXPECT_TRUE(replaced->active);
    EXPECT_EQ(catalog.snapshot()->find("a")->settings.context, 4096U);
    EXPECT_TRUE(catalog.snapshot()->find("b")->enabled);
    larger.name = "day-shift";
    const auto unknown = co_await catalog.replace_profile(larger);
    EXPECT_EQ(unknown.error().code(), Errc::not_found);
    const auto left = co_await catalog.leave_profile();
    EXPECT_TRUE(left);
    EXPECT_TRUE(catalog.snapshot()->find("b")->enabled);
    const auto removed = co_await catalog.remove_profile("night-shift");
    EXPECT_TRUE(removed);
    const auto rest = co_await catalog.profiles();
    EXPECT_TRUE(rest->empty());
}

TEST_F(CatalogTest, AProfileIsInForceUntilItIsLeft) {
    live(profile_scenario);
    live(under_profile_scenario);
}

TEST_F(CatalogTest, AReloadedConfigurationIsLaidOutAnew) {
    live([this](Catalog& catalog) -> asio::awaitable<void> {
        auto config = config_;
        config.model["a"].tier = Tier::powerful;
        config.models.default_model = "b";
        const auto applied = co_await catalog.apply(config);
        EXPECT_TRUE(applied);
        EXPECT_EQ(catalog.snapshot()->find("a")->tier, Tier::powerful);
        EXPECT_EQ(catalog.snapshot()->default_model, "b");
    });
}

}  // namespace
}  // namespace routerd
