#include "daemon/pull/plan_json.hpp"
#include "daemon/store/pulls.hpp"
#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RemovalTest : public ControlTest {
  protected:
    using Force = Client::Force;

    static std::vector<std::string> ids(Client& client) {
        std::vector<std::string> ids;
        const auto list = client.models({});
        for (const auto& model : list->items) {
            ids.push_back(model.id);
        }
        return ids;
    }

    static std::vector<std::string> paths_of(const api::PruneResult& result) {
        std::vector<std::string> paths;
        for (const auto& file : result.removed) {
            paths.push_back(file.path);
        }
        return paths;
    }

    std::string model_file(const std::string& name) const { return dir_ / ("models/" + name); }

    static bool is_there(const std::string& path) { return std::filesystem::exists(path); }

    /// As an earlier daemon left it: it was stopped by a user, with its part beside.
    void remember_pull(const std::string& name, const std::string& state) {
        auto store = Store::open(loaded_.config.state.dir);
        ASSERT_TRUE(store) << store.error().message();
        PullRow row;
        row.ref = "https://example.com/" + name;
        row.state = state;
        row.request = "{}";
        pull::Plan plan;
        plan.name = name;
        plan.root = dir_ / "models";
        pull::RemoteFile file;
        file.path = name;
        file.url = row.ref;
        plan.files = {file};
        row.plan = pull::to_json(plan);
        TransferRow transfer;
        transfer.path = model_file(name);
        auto save = [row, transfer](Database& database) -> Result<void> {
            const auto inserted = PullRepository(database).insert(row);
            return inserted ? TransferRepository(database).save(transfer)
                            : Result<void>(inserted.error());
        };
        boost::asio::io_context loop(1);
        run(loop, remember(**store, std::move(save)));
        (*store)->join();
        dir_.write("models/" + name + ".part", "part");
    }

    std::vector<std::string> remembered_transfers() {
        std::vector<std::string> paths;
        auto store = Store::open(loaded_.config.state.dir);
        auto load = [&paths](Database& database) -> Result<void> {
            paths = *TransferRepository(database).paths();
            return {};
        };
        boost::asio::io_context loop(1);
        run(loop, remember(**store, std::move(load)));
        (*store)->join();
        return paths;
    }

  private:
    template <class Work>
    static asio::awaitable<void> remember(Store& store, Work work) {
        const auto done = co_await store.run(std::move(work));
        EXPECT_TRUE(done);
    }
};

TEST_F(RemovalTest, AModelsFilesGoAndItIsNoModelAnyMore) {
    live([this](Client& client) {
        const auto gone = client.remove_model("A", Force::no);
        ASSERT_TRUE(gone) << gone.error().message();
        EXPECT_EQ(gone->id, "a");
        EXPECT_THAT(gone->files, ElementsAre(model_file("a.gguf")));
        EXPECT_GT(gone->freed, 0U);
        EXPECT_THAT(ids(client), ElementsAre("b"));
        EXPECT_FALSE(is_there(model_file("a.gguf")));
        client::EventQuery query;
        query.type = "model.removed";
        const auto events = client.events(query);
        ASSERT_TRUE(events && events->items.size() == 1);
        EXPECT_EQ(events->items[0].model, "a");
        const auto again = client.remove_model("a", Force::no);
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code(), Errc::model_not_found);
    });
}

TEST_F(RemovalTest, OutsideTheFolderOfDownloadsItTakesForce) {
    loaded_.config.pull.dir = dir_ / "downloads";
    live([this](Client& client) {
        const auto refused = client.remove_model("a", Force::no);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), Errc::forbidden);
        EXPECT_THAT(refused.error().message(), HasSubstr(model_file("a.gguf")));
        EXPECT_TRUE(is_there(model_file("a.gguf")));
        EXPECT_TRUE(client.remove_model("a", Force::yes));
        EXPECT_FALSE(is_there(model_file("a.gguf")));
        EXPECT_THAT(ids(client), ElementsAre("b"));
    });
}

TEST_F(RemovalTest, OneThatIsLoadedIsUnloadedFirst) {
    live([this](Client& client) {
        ASSERT_TRUE(client.load("a", client::Wait::until_done));
        const auto refused = client.remove_model("a", Force::no);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), Errc::conflict);
        EXPECT_THAT(refused.error().hint(), HasSubstr("routerctl unload a"));
        EXPECT_TRUE(is_there(model_file("a.gguf")));
        EXPECT_TRUE(client.remove_model("a", Force::yes));
        EXPECT_FALSE(is_there(model_file("a.gguf")));
        EXPECT_THAT(client.instances(Client::Which::running)->items, IsEmpty());
    });
}

TEST_F(RemovalTest, PruneTakesWhatNobodyGoesOnWith) {
    remember_pull("paused.gguf", "paused");
    remember_pull("complete.gguf", "complete");
    dir_.write("models/org/left.gguf.part", "12345");
    const auto left = model_file("org/left.gguf.part");
    const auto late = model_file("complete.gguf.part");
    live([&](Client& client) {
        const auto dry = client.prune({.dry_run = true, .all = false});
        ASSERT_TRUE(dry) << dry.error().message();
        EXPECT_THAT(paths_of(*dry), ElementsAre(late, left));
        EXPECT_EQ(dry->freed, 9U);
        EXPECT_TRUE(is_there(left));
        const auto pruned = client.prune({.dry_run = false, .all = false});
        ASSERT_TRUE(pruned) << pruned.error().message();
        EXPECT_THAT(paths_of(*pruned), ElementsAre(late, left));
        EXPECT_THAT(pruned->pulls, IsEmpty());
        EXPECT_FALSE(is_there(left));
        EXPECT_TRUE(is_there(model_file("paused.gguf.part")));
        EXPECT_TRUE(is_there(model_file("a.gguf")));
        EXPECT_EQ(client.pulls()->items.size(), 2U);
    });
    EXPECT_THAT(remembered_transfers(), ElementsAre(model_file("paused.gguf")));
}

TEST_F(RemovalTest, PruneOfAllForgetsWhatIsAtRest) {
    remember_pull("paused.gguf", "paused");
    remember_pull("failed.gguf", "failed");
    remember_pull("complete.gguf", "complete");
    live([&](Client& client) {
        const auto dry = client.prune({.dry_run = true, .all = true});
        ASSERT_TRUE(dry) << dry.error().message();
        EXPECT_EQ(dry->removed.size(), 3U);
        EXPECT_THAT(dry->pulls, ElementsAre("1", "2", "3"));
        EXPECT_EQ(client.pulls()->items.size(), 3U);
        const auto pruned = client.prune({.dry_run = false, .all = true});
        ASSERT_TRUE(pruned) << pruned.error().message();
        EXPECT_EQ(pruned->removed.size(), 3U);
        EXPECT_THAT(pruned->pulls, ElementsAre("1", "2", "3"));
        EXPECT_THAT(client.pulls()->items, IsEmpty());
        EXPECT_FALSE(is_there(model_file("paused.gguf.part")));
        EXPECT_TRUE(is_there(model_file("a.gguf")));
    });
    EXPECT_THAT(remembered_transfers(), IsEmpty());
    live([&](Client& client) { EXPECT_THAT(client.pulls()->items, IsEmpty()); });
}

TEST_F(RemovalTest, APullThatIsRemovedLeavesThePartOfAnother) {
    remember_pull("a-part.gguf", "paused");
    remember_pull("a-part.gguf", "failed");
    live([&](Client& client) {
        ASSERT_TRUE(client.remove_pull("2"));
        EXPECT_TRUE(is_there(model_file("a-part.gguf.part")));
        ASSERT_TRUE(client.remove_pull("1"));
        EXPECT_FALSE(is_there(model_file("a-part.gguf.part")));
    });
    EXPECT_THAT(remembered_transfers(), IsEmpty());
}

}  // namespace
}  // namespace routerd::test
