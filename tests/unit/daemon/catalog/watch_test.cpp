#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/store/store.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

class WatchTest : public testing::Test {
  protected:
    Config config() const {
        Config config;
        config.models.dirs = {folder_ / "models"};
        config.models.stores = {};
        return config;
    }

    void write(const std::string& name) { folder_.write("models/" + name, bytes_); }

    /// Waits until the model is there, or is not, whatever scans come in between.
    asio::awaitable<void> until(std::string id, bool there) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        bool in_time = true;
        while (in_time && has(id) != there) {
            in_time = co_await changed_.wait_until(deadline);
        }
        EXPECT_TRUE(in_time) << id;
    }

    bool has(const std::string& id) const { return catalog_.snapshot()->find(id) != nullptr; }

    void live(asio::awaitable<void> scenario) {
        test::run(loop_, run(std::move(scenario)), std::chrono::seconds(20));
        pool_.join();
        store_->join();
    }

    asio::awaitable<void> run(asio::awaitable<void> scenario) {
        const auto started = co_await catalog_.start();
        EXPECT_TRUE(started);
        catalog_.on_change([this] { changed_.notify(); });
        TaskGroup watching(loop_.get_executor(), "watch");
        watching.spawn(catalog_.watch());
        co_await std::move(scenario);
        watching.cancel();
        co_await watching.wait();
        co_await catalog_.stop();
    }

    asio::awaitable<void> coming_and_going();
    asio::awaitable<void> being_written();
    asio::awaitable<void> directory_comes();

    std::string bytes_ = test::GgufWriter::model().file();
    test::TempDir folder_;
    asio::io_context loop_{1};
    Signal changed_{loop_.get_executor()};
    test::TempDir state_;
    std::unique_ptr<Store> store_ = std::move(Store::open(state_.path()).value());
    asio::thread_pool pool_{2};
    Catalog catalog_{{loop_.get_executor(), *store_, pool_, {}, {{"HOME", folder_.path()}}},
                     config()};
};

asio::awaitable<void> WatchTest::coming_and_going() {
    write("a.gguf");
    co_await until("a", true);
    write("new/deep/b.gguf");
    co_await until("b", true);
    fs::rename(folder_ / "models/new", folder_ / "elsewhere");
    co_await until("b", false);
    fs::remove(folder_ / "models/a.gguf");
    co_await until("a", false);
}

TEST_F(WatchTest, NoticesFilesAndFoldersThatComeAndGo) {
    fs::create_directories(folder_ / "models");
    live(coming_and_going());
}

asio::awaitable<void> WatchTest::being_written() {
    const auto path = folder_ / "models/a.gguf";
    UniqueFd writer(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(::write(writer.get(), bytes_.data(), bytes_.size()),
              static_cast<ssize_t>(bytes_.size()));
    write("marker.gguf");
    co_await until("marker", true);
    EXPECT_FALSE(has("a"));  // whole, but somebody still holds it open
    EXPECT_EQ(catalog_.snapshot()->broken.size(), 1U);
    writer.reset();
    co_await until("a", true);
    EXPECT_TRUE(catalog_.snapshot()->broken.empty());
}

TEST_F(WatchTest, OffersAFileWhenItsWriterHasClosedIt) {
    fs::create_directories(folder_ / "models");
    live(being_written());
}

asio::awaitable<void> WatchTest::directory_comes() {
    write("a.gguf");
    co_await until("a", true);
}

TEST_F(WatchTest, NoticesADirectoryThatWasNotThereAtStart) {
    live(directory_comes());
}

}  // namespace
}  // namespace routerd
