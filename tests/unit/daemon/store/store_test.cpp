#include "daemon/store/store.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "daemon/store/settings.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

/// The text of setting "x", or the error's.
asio::awaitable<std::string> read_x(Store& store) {
    auto read = [](Database& database) { return SettingsRepository(database).get("x"); };
    const auto value = co_await store.run(std::move(read));
    co_return value ? value->value_or("nothing") : value.error().message();
}

asio::awaitable<void> write_scenario(Store& store) {
    const auto home = std::this_thread::get_id();
    std::thread::id worker;
    auto write = [&worker](Database& database) {
        worker = std::this_thread::get_id();
        return SettingsRepository(database).set("x", "1");
    };
    const auto written = co_await store.run(std::move(write));
    EXPECT_TRUE(written);
    EXPECT_NE(worker, home);
    EXPECT_EQ(std::this_thread::get_id(), home);
    const auto value = co_await read_x(store);
    EXPECT_EQ(value, "1");
}

TEST(StoreTest, WorksOnItsOwnThreadAndComesBack) {
    const test::TempDir dir;
    {
        asio::io_context loop(1);  // outlives the store's thread, which wakes it
        auto store = Store::open(dir.path());
        ASSERT_TRUE(store);
        EXPECT_TRUE((*store)->report().created);
        test::run(loop, write_scenario(**store));
    }
    auto again = Store::open(dir.path());
    ASSERT_TRUE(again);
    EXPECT_FALSE((*again)->report().created);
}

asio::awaitable<void> append(Store& store, int i) {
    auto work = [i](Database& database) -> Result<void> {
        SettingsRepository settings(database);
        const auto before = settings.get("x");
        if (!before) {
            return before.error();
        }
        return settings.set("x", before->value_or("") + std::to_string(i));
    };
    const auto done = co_await store.run(std::move(work));
    EXPECT_TRUE(done);
}

TEST(StoreTest, WorkIsDoneInTheOrderItWasGiven) {
    const test::TempDir dir;
    asio::io_context loop(1);  // outlives the store's thread, which wakes it
    auto store = Store::open(dir.path());
    ASSERT_TRUE(store);
    for (int i = 0; i < 9; ++i) {
        asio::co_spawn(loop, append(**store, i),
                       [](const std::exception_ptr& thrown) { EXPECT_EQ(thrown, nullptr); });
    }
    loop.run();
    std::string found;
    asio::co_spawn(loop, read_x(**store), [&found](const std::exception_ptr&, std::string value) {
        found = std::move(value);
    });
    loop.restart();
    loop.run();
    EXPECT_EQ(found, "012345678");
}

TEST(StoreTest, SaysWhyItCannotOpen) {
    const test::TempDir dir;
    const auto store = Store::open(dir / "none");
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code(), Errc::unavailable);
}

}  // namespace
}  // namespace routerd
