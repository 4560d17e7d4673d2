#include "daemon/transfer/transfers.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/transfer/sha256.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/range_origin.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::transfer {
namespace {

constexpr std::uint64_t one_mib = std::uint64_t{1} << 20U;
constexpr std::chrono::seconds patience(60);

std::string made_up(std::size_t size) {
    std::string content = "GGUF";
    std::mt19937 random(1);
    while (content.size() < size) {
        const auto word = random();
        content.append(reinterpret_cast<const char*>(&word), 4);
    }
    content.resize(size);
    return content;
}

std::string digest_of(const std::string& content) {
    Sha256 sha256;
    sha256.update(content);
    return sha256.finish();
}

/// Keeps the records in memory, and can say no.
class Books : public Transfers::Keeper {
  public:
    asio::awaitable<Result<void>> keep(Record record) override {
        most_ahead = std::max(most_ahead, record.written.total() - kept.written.total());
        kept = std::move(record);
        ++records;
        if (on_record) {
            on_record();
        }
        co_return refusal ? Result<void>(*refusal) : Result<void>();
    }
    void on_live(const Live& live) override { last = live; }

    Record kept;
    Live last;
    unsigned records = 0;
    std::uint64_t most_ahead = 0;
    std::optional<Error> refusal;
    std::function<void()> on_record;
};

class TransfersTest : public testing::Test {
  protected:
    Order order(const test::RangeOrigin& origin) {
        const auto url = http::parse_url(origin.url());
        const auto policy = OriginPolicy::make({});
        return Order{.url = *url,
                     .token = "",
                     .policy = policy->trusting(url->origin),
                     .root = dir_.path(),
                     .path = "org/a.gguf",
                     .size = std::nullopt,
                     .has_digest = false,
                     .connections = 8,
                     .limit_rate = 0,
                     .patient = false,
                     .record = {}};
    }

    Result<Fetched> fetch(Order order) {
        Result<Fetched> result = Error();
        id_ = transfers_.next_id();
        test::run(loop_, run(std::move(order), result), patience);
        loop_.restart();
        return result;
    }

    asio::awaitable<void> run(Order order, Result<Fetched>& result) {
        result = co_await transfers_.fetch(id_, std::move(order), books_);
    }

    std::string part() const {
        std::ifstream in(dir_.path() + "/org/a.gguf.part", std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    test::TempDir dir_;
    asio::io_context loop_{1};
    Transfers transfers_{loop_.get_executor(), TransferSettings{}};
    Books books_;
    std::uint64_t id_ = 0;
};

TEST_F(TransfersTest, FetchesAFileInParts) {
    const auto content = made_up(20 * one_mib + 17);
    const test::RangeOrigin origin(content);
    const auto fetched = fetch(order(origin));
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(fetched->size, content.size());
    EXPECT_EQ(fetched->sha256, digest_of(content));
    EXPECT_TRUE(part() == content);
    EXPECT_GT(origin.asked().size(), 2U);
    EXPECT_LE(books_.most_ahead, 8 * one_mib);
}

TEST_F(TransfersTest, FetchesAFileOfAFewBytes) {
    const test::RangeOrigin origin("GGUF");
    const auto fetched = fetch(order(origin));
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(part(), "GGUF");
}

TEST_F(TransfersTest, GoesOnWithWhatIsMissing) {
    const auto content = made_up(12 * one_mib);
    const test::RangeOrigin origin(content);
    books_.on_record = [this] { transfers_.stop(id_); };
    const auto stopped = fetch(order(origin));
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code(), Errc::cancelled);
    const auto record = books_.kept;
    ASSERT_FALSE(record.written.empty());
    EXPECT_EQ(record.synced, record.written);
    books_.on_record = nullptr;
    const auto before = origin.asked().size();
    auto again = order(origin);
    again.record = record;
    const auto fetched = fetch(again);
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(fetched->sha256, digest_of(content));
    const auto asked = origin.asked();
    for (auto i = before; i < asked.size(); ++i) {
        EXPECT_EQ(record.written.end_at(asked[i]), asked[i]) << "it was here already";
    }
}

TEST_F(TransfersTest, TriesAgainWhenAnAnswerIsCut) {
    const auto content = made_up(3 * one_mib);
    test::RangeOrigin origin(content);
    origin.cut_after(700'000);
    const auto fetched = fetch(order(origin));
    ASSERT_TRUE(fetched) << fetched.error().message();
    EXPECT_EQ(fetched->sha256, digest_of(content));
}

TEST_F(TransfersTest, EndsWhenNoRecordIsKept) {
    const test::RangeOrigin origin(made_up(4 * one_mib));
    books_.refusal = Error(Errc::unavailable, "the database is full");
    const auto fetched = fetch(order(origin));
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().message(), "the database is full");
}

TEST_F(TransfersTest, RefusesWhatIsNoModel) {
    const test::RangeOrigin origin("<html>please log in</html>");
    const auto fetched = fetch(order(origin));
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code(), Errc::upstream_error);
    EXPECT_EQ(books_.records, 0U);
}

TEST_F(TransfersTest, ConnectsNowhereElse) {
    const test::RangeOrigin origin(made_up(one_mib));
    auto other = order(origin);
    other.policy = *OriginPolicy::make({"127.0.0.1"});  // by name alone it is not trusted
    const auto fetched = fetch(other);
    ASSERT_FALSE(fetched);
    EXPECT_EQ(fetched.error().code(), Errc::forbidden);
    EXPECT_TRUE(origin.asked().empty());
}

TEST_F(TransfersTest, ReadsSmallAnswers) {
    const test::RangeOrigin origin("{\"a\": 1}");
    Question question{
        .url = *http::parse_url(origin.url()),
        .accept = "application/json",
        .token = "",
        .most = 100,
        .policy = OriginPolicy::make({})->trusting(http::parse_url(origin.url())->origin)};
    Result<Answer> answer = Error();
    const auto ask = [&]() -> asio::awaitable<void> {
        answer = co_await transfers_.ask(transfers_.next_id(), question);
    };
    test::run(loop_, ask(), patience);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->body, "{\"a\": 1}");
    loop_.restart();
    question.most = 3;
    test::run(loop_, ask(), patience);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::payload_too_large);
}

}  // namespace
}  // namespace routerd::transfer
