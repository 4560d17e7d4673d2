#include "daemon/telemetry/request_history.hpp"

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/store/store.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

FinishedRequest finished(std::string_view id, unsigned status = 200) {
    FinishedRequest request;
    request.request = id;
    request.endpoint = "/v1/chat/completions";
    request.model = "m";
    request.status = status;
    request.error = status < 400 ? "" : "it went wrong";
    request.took = 25ms;
    return request;
}

const RequestFilter all_of_them;  // g++ 12 wants a name for what a coroutine takes

/// Histories one after the other over one database, as daemons have them.
class RequestHistoryTest : public testing::Test {
  protected:
    using Scenario = std::function<asio::awaitable<void>(RequestHistory&, Store&)>;

    /// Written at the end, or when a test says so.
    RequestHistoryTest() { write_every(1h); }

    void write_every(std::chrono::milliseconds time) { limits_.delay = limits_.interval = time; }

    void live(const Scenario& scenario) {
        asio::io_context loop(1);  // outlives the store's thread, which wakes it
        auto store = Store::open(dir_.path());
        ASSERT_TRUE(store);
        RequestHistory history(loop.get_executor(), **store, limits_);
        test::run(loop, life(history, **store, scenario));
    }

    /// Names of the requests that there are, newest first.
    static asio::awaitable<std::vector<std::string>> names(RequestHistory& history,
                                                           RequestFilter filter) {
        const auto rows = co_await history.newest(std::move(filter));
        EXPECT_TRUE(rows);
        std::vector<std::string> found;
        for (const auto& row : *rows) {
            found.push_back(row.request);
        }
        co_return found;
    }

    /// The same of what the database has.
    static asio::awaitable<std::vector<std::string>> written(Store& store) {
        auto ask = [](Database& database) { return RequestRepository(database).newest({}); };
        const auto rows = co_await store.run(std::move(ask));
        EXPECT_TRUE(rows);
        std::vector<std::string> found;
        for (const auto& row : *rows) {
            found.push_back(row.request);
        }
        co_return found;
    }

    static asio::awaitable<void> execute(Store& store, std::string sql) {
        auto work = [sql](Database& database) { return database.execute(sql); };
        const auto done = co_await store.run(std::move(work));
        EXPECT_TRUE(done);
    }

    test::TempDir dir_;
    RequestHistory::Limits limits_;

  private:
    static asio::awaitable<void> life(RequestHistory& history, Store& store,
                                      const Scenario& scenario) {
        const auto started = co_await history.start();
        EXPECT_TRUE(started);
        co_await scenario(history, store);
        co_await history.stop();
    }
};

TEST_F(RequestHistoryTest, ShowsWhatIsNotYetWritten) {
    live([](RequestHistory& history, Store& store) -> asio::awaitable<void> {
        history.add(finished("one"));
        history.add(finished("two"));
        const auto all = co_await names(history, all_of_them);
        EXPECT_THAT(all, ElementsAre("two", "one"));
        const auto in_database = co_await written(store);
        EXPECT_THAT(in_database, IsEmpty());
    });
}

TEST_F(RequestHistoryTest, ARestartKeepsItAndGoesOnCounting) {
    live([](RequestHistory& history, Store& /*store*/) -> asio::awaitable<void> {
        history.add(finished("one"));
        history.add(finished("two"));
        co_return;
    });
    live([](RequestHistory& history, Store& /*store*/) -> asio::awaitable<void> {
        EXPECT_EQ(history.last_id(), 2U);
        history.add(finished("three"));
        const auto all = co_await names(history, all_of_them);
        EXPECT_THAT(all, ElementsAre("three", "two", "one"));
        RequestFilter page;
        page.before = 3;
        page.limit = 1;
        const auto middle = co_await names(history, page);
        EXPECT_THAT(middle, ElementsAre("two"));
    });
}

TEST_F(RequestHistoryTest, WritesAfterTheInterval) {
    write_every(1ms);
    live([](RequestHistory& history, Store& store) -> asio::awaitable<void> {
        history.add(finished("one"));
        std::vector<std::string> in_database;
        while (in_database.empty()) {
            in_database = co_await written(store);
        }
        EXPECT_THAT(in_database, ElementsAre("one"));
        history.add(finished("two"));  // once more after the first time
        while (in_database.size() < 2) {
            in_database = co_await written(store);
        }
    });
}

TEST_F(RequestHistoryTest, WritesTheFirstSoonAndTheNextAfterTheInterval) {
    limits_.delay = 1ms;
    live([this](RequestHistory& history, Store& store) -> asio::awaitable<void> {
        history.add(finished("one"));
        std::vector<std::string> in_database;
        while (in_database.empty()) {
            in_database = co_await written(store);
        }
        history.add(finished("two"));
        const auto long_after = steady_now() + 50 * limits_.delay;
        while (steady_now() < long_after) {
            in_database = co_await written(store);
        }
        EXPECT_THAT(in_database, ElementsAre("one")) << "of many, each five seconds, not each one";
    });
}

TEST_F(RequestHistoryTest, WhatLeftTheMemoryIsInTheDatabaseOnce) {
    limits_.kept = 3;
    write_every(1ms);
    live([](RequestHistory& history, Store& store) -> asio::awaitable<void> {
        std::size_t count = 0;
        for (const auto* name : {"1", "2", "3", "4", "5"}) {
            history.add(finished(name));
            ++count;
            std::size_t there = 0;
            while (there < count) {
                const auto rows = co_await written(store);
                there = rows.size();
            }
        }
        const auto all = co_await names(history, all_of_them);
        EXPECT_THAT(all, ElementsAre("5", "4", "3", "2", "1"));
        EXPECT_EQ(history.skipped(), 0U);
    });
}

TEST_F(RequestHistoryTest, OfVeryManyFailuresAndTheNewestAreWritten) {
    limits_.kept = 6;
    limits_.written = 4;
    live([](RequestHistory& history, Store& /*store*/) -> asio::awaitable<void> {
        history.add(finished("gone", 500));  // overwritten in memory before it could be written
        for (const auto* name : {"1", "2"}) {
            history.add(finished(name));
        }
        history.add(finished("bad", 503));
        for (const auto* name : {"4", "5", "6"}) {
            history.add(finished(name));
        }
        const auto all = co_await names(history, all_of_them);
        EXPECT_THAT(all, ElementsAre("6", "5", "4", "bad", "2", "1"));
    });
    live([](RequestHistory& history, Store& store) -> asio::awaitable<void> {
        const auto in_database = co_await written(store);
        EXPECT_THAT(in_database, ElementsAre("6", "5", "4", "bad"));
        EXPECT_EQ(history.last_id(), 7U);
    });
}

TEST_F(RequestHistoryTest, ADatabaseThatTakesNothingIsNoneOfTheRequestsBusiness) {
    write_every(1ms);
    live([](RequestHistory& history, Store& store) -> asio::awaitable<void> {
        co_await execute(store,
                         "CREATE TRIGGER full BEFORE INSERT ON requests "
                         "BEGIN SELECT raise(ABORT, 'disk full'); END");
        history.add(finished("lost"));
        while (history.skipped() == 0) {
            co_await written(store);
        }
        EXPECT_EQ(history.skipped(), 1U);
        const auto all = co_await names(history, all_of_them);
        EXPECT_THAT(all, ElementsAre("lost")) << "memory still has it";
        co_await execute(store, "DROP TRIGGER full");
        history.add(finished("kept"));
        std::vector<std::string> in_database;
        while (in_database.empty()) {
            in_database = co_await written(store);
        }
        EXPECT_THAT(in_database, ElementsAre("kept"));
        EXPECT_EQ(history.skipped(), 1U);
    });
}

TEST_F(RequestHistoryTest, TextsHaveALimit) {
    live([this](RequestHistory& history, Store& /*store*/) -> asio::awaitable<void> {
        const std::string endless(1'000'000, 'x');
        auto request = finished("one");
        request.endpoint = endless;
        request.error = endless;
        history.add(request);
        const auto rows = co_await history.newest(all_of_them);
        EXPECT_EQ(rows->front().endpoint.size(), limits_.longest);
        EXPECT_EQ(rows->front().error.size(), limits_.longest);
    });
}

TEST_F(RequestHistoryTest, TellsSubscribersAndWhatIsNew) {
    live([](RequestHistory& history, Store& /*store*/) -> asio::awaitable<void> {
        int told = 0;
        history.add(finished("one"));
        {
            const auto subscription = history.subscribe([&told] { ++told; });
            history.add(finished("two"));
            history.add(finished("three"));
        }
        history.add(finished("four"));
        EXPECT_EQ(told, 2);
        const auto rows = history.after(2);
        EXPECT_EQ(rows.size(), 2U);
        EXPECT_EQ(rows.front().request, "three") << "the oldest first";
        co_return;
    });
}

TEST_F(RequestHistoryTest, FiltersMemoryAndDatabaseAlike) {
    const auto scenario = [](RequestHistory& history, Store& /*store*/) -> asio::awaitable<void> {
        if (history.last_id() == 0) {
            auto slow = finished("slow");
            slow.took = 5s;
            history.add(slow);
            history.add(finished("failed", 404));
            auto other = finished("other");
            other.model = "o";
            history.add(other);
        }
        RequestFilter filter;
        filter.slow = 5s;
        const auto slow = co_await names(history, filter);
        EXPECT_THAT(slow, ElementsAre("slow"));
        filter = {};
        filter.failed = true;
        const auto failed = co_await names(history, filter);
        EXPECT_THAT(failed, ElementsAre("failed"));
        filter = {};
        filter.model = "o";
        const auto other = co_await names(history, filter);
        EXPECT_THAT(other, ElementsAre("other"));
    };
    live(scenario);
    live(scenario);
}

}  // namespace
}  // namespace routerd
