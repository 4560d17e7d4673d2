#include "daemon/dialects/model_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace routerd {
namespace {

using namespace std::chrono_literals;

InstanceView view_of(const std::string& model) {
    InstanceView view;
    view.model = model;
    return view;
}

TEST(ModelHistoryTest, KeepsWhatWasKnownLastWhenAViewKnowsNothing) {
    ModelHistory history;
    auto view = view_of("a");
    view.last_used = WallTime(5s);
    view.load_time = 250ms;
    history.add(view, {});
    history.add(view_of("a"), {});
    EXPECT_EQ(history.of("a").last_used, WallTime(5s));
    EXPECT_EQ(history.of("a").load_time, 250ms);
    EXPECT_EQ(history.of("a").moments.size(), 2U);
}

TEST(ModelHistoryTest, OfAModelThatIsNotKnownThereIsNothing) {
    const ModelHistory history;
    EXPECT_EQ(history.of("a").last_used, std::nullopt);
    EXPECT_TRUE(history.of("a").moments.empty());
}

TEST(ModelHistoryTest, KeepsTheNewestMoments) {
    ModelHistory history;
    for (std::size_t i = 0; i <= ModelHistory::kept_moments; ++i) {
        history.add(view_of("a"), {WallTime(std::chrono::seconds(i)), InstanceState::ready, {}});
    }
    const auto& moments = history.of("a").moments;
    EXPECT_EQ(moments.size(), ModelHistory::kept_moments);
    EXPECT_EQ(moments.front().time, WallTime(1s));
}

TEST(ModelHistoryTest, ForgetsModelsThatAreGone) {
    ModelHistory history;
    history.add(view_of("a"), {});
    history.add(view_of("b"), {});
    history.keep([](const std::string& id) { return id == "b"; });
    EXPECT_TRUE(history.of("a").moments.empty());
    EXPECT_EQ(history.of("b").moments.size(), 1U);
}

}  // namespace
}  // namespace routerd
