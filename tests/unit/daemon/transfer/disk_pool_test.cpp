#include "daemon/transfer/disk_pool.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

namespace routerd::transfer {
namespace {

using namespace std::chrono_literals;

/// A pool, and the owner's thread as it is woken: the test's own.
class DiskPoolTest : public testing::Test {
  protected:
    /// Does `work` on a thread of the pool, and then `after` on the owner's.
    class Task : public DiskPool::Job {
      public:
        Task(std::function<void()> work, std::function<void()> after)
            : work_(std::move(work)), after_(std::move(after)) {}
        void run() override { work_(); }
        void finish() override { after_(); }

      private:
        std::function<void()> work_;
        std::function<void()> after_;
    };

    void start(std::size_t threads) {
        pool_.emplace(threads, [this] {
            const std::lock_guard lock(mutex_);
            woken_ = true;
            wakes_.notify_all();
        });
    }

    void add(
        std::function<void()> work, std::function<void()> after = [] {}) {
        pool_->add(std::make_unique<Task>(std::move(work), std::move(after)));
    }

    /// As the owner does: sleeps until it is woken, then finishes what there is.
    void finish_until(const std::function<bool()>& done) {
        while (!done()) {
            {
                std::unique_lock lock(mutex_);
                if (!wakes_.wait_for(lock, 10s, [this] { return woken_; })) {
                    FAIL() << "nobody woke the owner";
                }
                woken_ = false;
            }
            pool_->finish_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable wakes_;
    bool woken_ = false;
    std::optional<DiskPool> pool_;  // ends before what its threads use
};

TEST_F(DiskPoolTest, RunsElsewhereAndFinishesOnTheOwnersThread) {
    start(2);
    const auto owner = std::this_thread::get_id();
    std::thread::id ran;
    std::thread::id finished;
    add([&ran] { ran = std::this_thread::get_id(); },
        [&finished] { finished = std::this_thread::get_id(); });
    finish_until([&finished] { return finished != std::thread::id(); });
    EXPECT_NE(ran, owner);
    EXPECT_NE(ran, std::thread::id());
    EXPECT_EQ(finished, owner);
}

TEST_F(DiskPoolTest, FinishesEachJobOnce) {
    start(3);
    constexpr int many = 1000;
    std::multiset<int> finished;
    for (int i = 0; i < many; ++i) {
        add([] {}, [&finished, i] { finished.insert(i); });
    }
    finish_until([&finished] { return finished.size() >= many; });
    pool_->finish_all();
    EXPECT_EQ(finished.size(), std::size_t{many});
    EXPECT_EQ(std::set<int>(finished.begin(), finished.end()).size(), std::size_t{many});
}

TEST_F(DiskPoolTest, OneThreadKeepsTheOrder) {
    start(1);
    std::vector<int> ran;
    std::size_t finished = 0;
    for (int i = 0; i < 100; ++i) {
        add([&ran, i] { ran.push_back(i); }, [&finished] { ++finished; });
    }
    finish_until([&finished] { return finished == 100; });
    EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
    EXPECT_EQ(ran.size(), 100U);
}

TEST_F(DiskPoolTest, ASlowJobDoesNotHoldUpTheOthers) {
    start(2);
    std::promise<void> gate;
    bool slow_finished = false;
    bool quick_finished = false;
    add([opened = gate.get_future().share()] { opened.wait(); },
        [&slow_finished] { slow_finished = true; });
    add([] {}, [&quick_finished] { quick_finished = true; });
    finish_until([&quick_finished] { return quick_finished; });
    EXPECT_FALSE(slow_finished);
    gate.set_value();
    finish_until([&slow_finished] { return slow_finished; });
}

TEST_F(DiskPoolTest, AFinishedJobMayAddAnother) {
    start(1);
    bool over = false;
    add([] {}, [this, &over] { add([] {}, [&over] { over = true; }); });
    finish_until([&over] { return over; });
}

TEST_F(DiskPoolTest, TheEndWaitsForWhatRunsAndDropsTheRest) {
    start(1);
    std::promise<void> begun;
    std::promise<void> gate;
    bool ran = false;
    bool finished = false;
    auto token = std::make_shared<int>(0);  // the dropped job and this test
    add(
        [&begun, &ran, opened = gate.get_future().share()] {
            begun.set_value();
            opened.wait();
            ran = true;
        },
        [&finished] { finished = true; });
    add([token] { static_cast<void>(token); });
    begun.get_future().wait();
    std::thread opener([&gate] { gate.set_value(); });
    pool_.reset();
    opener.join();
    EXPECT_TRUE(ran);
    EXPECT_FALSE(finished);
    EXPECT_EQ(token.use_count(), 1);  // nothing of the other is left, begun or not
}

}  // namespace
}  // namespace routerd::transfer
