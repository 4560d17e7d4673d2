#include "daemon/store/instances.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "daemon/store/open.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

class InstancesTest : public testing::Test {
  protected:
    static InstanceRow row() {
        return {.id = 0,
                .model = "qwen3-8b",
                .pid = 0,
                .start_ticks = 0,
                .boot_id = "b7",
                .unix_path = "/run/x.sock",
                .port = 65'535,
                .argv = R"(["llama-server"])",
                .argv_hash = "h",
                .log_path = "/log",
                .slots = 4,
                .started_at = WallTime(std::chrono::milliseconds(1'700'000'000'123))};
    }

    test::TempDir dir_;
    OpenedDatabase opened_ = std::move(*open_state_database(dir_ / "state.db"));
    InstanceRepository instances_{opened_.database};
};

TEST_F(InstancesTest, ComesBackAsItWas) {
    const auto id = instances_.insert(row());
    ASSERT_TRUE(id);
    ASSERT_TRUE(instances_.set_process(*id, 4711, 0xFFFFFFFFFFFFFFFF));
    const auto rows = instances_.load_all();
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1U);
    const auto& found = rows->front();
    EXPECT_EQ(found.id, *id);
    EXPECT_EQ(found.model, "qwen3-8b");
    EXPECT_EQ(found.pid, 4711);
    EXPECT_EQ(found.start_ticks, 0xFFFFFFFFFFFFFFFF);
    EXPECT_EQ(found.boot_id, "b7");
    EXPECT_EQ(found.unix_path, "/run/x.sock");
    EXPECT_EQ(found.port, 65'535);
    EXPECT_EQ(found.argv, R"(["llama-server"])");
    EXPECT_EQ(found.argv_hash, "h");
    EXPECT_EQ(found.log_path, "/log");
    EXPECT_EQ(found.slots, 4U);
    EXPECT_EQ(found.started_at, row().started_at);
}

TEST_F(InstancesTest, AnIdNeverComesBack) {
    EXPECT_EQ(*instances_.last_id(), 0);
    EXPECT_EQ(*instances_.insert(row()), 1);
    EXPECT_EQ(*instances_.insert(row()), 2);
    ASSERT_TRUE(instances_.remove(2));
    ASSERT_TRUE(instances_.remove(2));
    EXPECT_EQ(*instances_.last_id(), 2);
    EXPECT_EQ(*instances_.insert(row()), 3);
}

TEST_F(InstancesTest, TakesAnIdOfTheCallers) {
    auto mine = row();
    mine.id = 41;
    EXPECT_EQ(*instances_.insert(mine), 41);
    EXPECT_EQ(instances_.insert(mine).error().code(), Errc::conflict);
    EXPECT_EQ(*instances_.insert(row()), 42);
    EXPECT_EQ(*instances_.last_id(), 42);
}

TEST_F(InstancesTest, RefusesToNameTheProcessOfNoRow) {
    EXPECT_EQ(instances_.set_process(9, 1, 1).error().code(), Errc::not_found);
}

}  // namespace
}  // namespace routerd
