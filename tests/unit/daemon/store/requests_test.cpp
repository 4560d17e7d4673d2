#include "daemon/store/requests.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/store/open.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

WallTime at(std::uint64_t second) {
    return WallTime(seconds(1'700'000'000 + static_cast<std::int64_t>(second)));
}

RequestRow row(std::uint64_t id) {
    RequestRow made;
    made.id = id;
    made.started = at(id);
    made.request = "r-" + std::to_string(id);
    made.endpoint = "/v1/chat/completions";
    made.model = "m";
    made.status = 200;
    made.took = milliseconds(10);
    return made;
}

class RequestsTest : public testing::Test {
  protected:
    void add(const std::vector<RequestRow>& rows) {
        const auto added = requests_.add(rows);
        ASSERT_TRUE(added) << added.error().message();
    }

    std::vector<std::uint64_t> ids(const RequestFilter& filter = {}) {
        const auto rows = requests_.newest(filter);
        EXPECT_TRUE(rows);
        std::vector<std::uint64_t> found;
        for (const auto& one : *rows) {
            found.push_back(one.id);
            EXPECT_TRUE(filter.wants(one)) << "the database and memory do not agree";
        }
        return found;
    }

    test::TempDir dir_;
    OpenedDatabase opened_ = std::move(*open_state_database(dir_ / "state.db"));
    RequestRepository requests_{opened_.database, 4};
};

TEST_F(RequestsTest, ComeBackAsTheyWere) {
    auto full = row(7);
    full.error = "model 'm': it's \xff gone";
    full.status = 502;
    full.stream = true;
    full.bytes = 1'234'567'890'123;
    full.prompt_tokens = 11;
    full.completion_tokens = 0;
    full.tokens_per_second = 42.125;
    full.queued = std::chrono::microseconds(1500);
    full.loaded = seconds(3);
    full.first_byte = std::chrono::microseconds(17);
    full.took = std::chrono::hours(2);
    const RequestRow empty = row(8);
    add({full, empty});
    const auto rows = requests_.newest({});
    ASSERT_TRUE(rows);
    EXPECT_THAT(*rows, ElementsAre(empty, full));
}

TEST_F(RequestsTest, TheOldestGoBeyondTheLimit) {
    add({row(1), row(2), row(5)});
    add({row(6), row(9)});
    EXPECT_THAT(ids(), ElementsAre(9, 6, 5, 2)) << "rows are counted, not ids";
    add({row(10), row(11), row(12), row(13), row(14), row(15)});
    EXPECT_THAT(ids(), ElementsAre(15, 14, 13, 12));
}

TEST_F(RequestsTest, AreFoundByWhatIsAsked) {
    auto slow = row(2);
    slow.took = seconds(6);
    auto failed = row(3);
    failed.status = 400;
    auto other = row(4);
    other.model = "o";
    add({row(1), slow, failed, other});
    RequestFilter filter;
    filter.limit = 2;
    EXPECT_THAT(ids(filter), ElementsAre(4, 3));
    filter.before = 3;
    EXPECT_THAT(ids(filter), ElementsAre(2, 1));
    filter = {};
    filter.model = "o";
    EXPECT_THAT(ids(filter), ElementsAre(4));
    filter = {};
    filter.slow = seconds(6);
    EXPECT_THAT(ids(filter), ElementsAre(2));
    filter = {};
    filter.failed = true;
    EXPECT_THAT(ids(filter), ElementsAre(3));
    filter = {};
    filter.since = at(3);
    EXPECT_THAT(ids(filter), ElementsAre(4, 3));
}

TEST_F(RequestsTest, KnowTheLastId) {
    EXPECT_EQ(*requests_.last_id(), 0U);
    add({row(3), row(8)});
    EXPECT_EQ(*requests_.last_id(), 8U);
    add({});
    EXPECT_EQ(*requests_.last_id(), 8U);
}

TEST_F(RequestsTest, ABatchThatFailsLeavesNothing) {
    ASSERT_TRUE(
        opened_.database.execute("CREATE TRIGGER t BEFORE INSERT ON requests WHEN NEW.id = 2 "
                                 "BEGIN SELECT raise(ABORT, 'no'); END"));
    EXPECT_FALSE(requests_.add(std::vector{row(1), row(2)}));
    EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(RequestsTest, AfterABatchOthersWaitForTheDiskAgain) {
    constexpr std::int64_t full = 2;
    add({row(1)});
    EXPECT_EQ(*opened_.database.integer("PRAGMA synchronous"), full);
    ASSERT_TRUE(opened_.database.execute("DROP TABLE requests"));
    EXPECT_FALSE(requests_.add(std::vector{row(2)}));
    EXPECT_EQ(*opened_.database.integer("PRAGMA synchronous"), full);
}

}  // namespace
}  // namespace routerd
