#include <algorithm>
#include <future>

#include "common/base/units.hpp"
#include "daemon/gate/gate.hpp"
#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using client::Wait;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

/// The requests of clients come through the fleet's gate; here from the daemon's own loop.
class ExplainTest : public ControlTest {
  protected:
    /// From the scenario's thread: takes a place in the queue of `model` and keeps it.
    void request(const std::string& model, const std::string& id) {
        on_loop([this, model, id] {
            Demand demand;
            demand.model = model;
            demand.request_id = id;
            demand.priority = Priority::low;
            demand.key = "night";
            tickets_.push_back(daemon_->fleet.request(std::move(demand)));
        });
    }

    /// Whether the ticket of the last request is settled.
    bool settled() {
        bool is = false;
        on_loop([this, &is] { is = tickets_.back().settled(); });
        return is;
    }

    /// Gives all tickets back: they must not outlive the fleet.
    void leave() {
        on_loop([this] { tickets_.clear(); });
    }

    /// A model that loads until open() is called.
    void shut(const std::string& model) {
        loaded_.config.model[model].env["FAKE_LLAMA"] = "gate=" + (dir_ / "gate");
    }
    void open() { dir_.write("gate", ""); }

  private:
    void on_loop(const std::function<void()>& work) {
        std::promise<void> done;
        asio::post(daemon_->loop, [&work, &done] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    std::vector<Ticket> tickets_;
};

TEST_F(ExplainTest, ShowsTheMemoryOfTheHostAndWhoHasIt) {
    live([](Client& client) {
        ASSERT_TRUE(client.load("a", Wait::until_done));
        const auto list = client.memory();
        ASSERT_TRUE(list) << list.error().message();
        ASSERT_FALSE(list->items.empty());
        const auto& host = list->items.front();
        EXPECT_EQ(host.device, "host");
        EXPECT_EQ(host.kind, "host");
        EXPECT_GT(host.total_bytes, 0U);
        EXPECT_GE(host.usable_bytes, host.free_bytes);
        ASSERT_EQ(host.models.size(), 1U);
        EXPECT_EQ(host.models[0].model, "a");
        EXPECT_EQ(host.models[0].state, "ready");
        EXPECT_EQ(host.models[0].reserved_bytes, host.reserved_bytes);
    });
}

TEST_F(ExplainTest, ListsTheQueueAndCancels) {
    shut("a");
    live([this](Client& client) {
        EXPECT_THAT(client.queue()->items, IsEmpty());
        request("a", "r-1");
        ASSERT_TRUE(client.load("a", Wait::no));
        const auto list = client.queue();
        ASSERT_TRUE(list) << list.error().message();
        ASSERT_EQ(list->items.size(), 2U);
        const auto waits = std::find_if(list->items.begin(), list->items.end(),
                                        [](const auto& row) { return row.id == "r-1"; });
        ASSERT_NE(waits, list->items.end());
        EXPECT_EQ(waits->request, "r-1");
        EXPECT_EQ(waits->model, "a");
        EXPECT_EQ(waits->priority, "low");
        EXPECT_EQ(waits->key, "night");
        EXPECT_EQ(waits->position, 1U);
        EXPECT_EQ(waits->state, "loading");
        EXPECT_EQ(waits->deadline, std::nullopt);
        EXPECT_THAT(waits->reason, HasSubstr("its server is loading"));

        EXPECT_FALSE(settled());
        const auto cancelled = client.cancel("r-1");
        ASSERT_TRUE(cancelled) << cancelled.error().message();
        EXPECT_EQ(cancelled->id, "r-1");
        EXPECT_TRUE(settled());
        EXPECT_EQ(client.cancel("r-1").error().code(), Errc::not_found);
        const auto left = client.queue();
        ASSERT_EQ(left->items.size(), 1U);
        EXPECT_EQ(left->items[0].request, std::nullopt) << "the load, which has a number only";
        EXPECT_EQ(left->items[0].id, std::to_string(left->items[0].ticket));
        leave();
        open();
    });
}

TEST_F(ExplainTest, EstimatesWithoutLoading) {
    live([](Client& client) {
        const auto usual = client.estimate({.model = "A"});
        ASSERT_TRUE(usual) << usual.error().message();
        EXPECT_EQ(usual->model, "a");
        EXPECT_EQ(usual->verdict, "fits");
        ASSERT_EQ(usual->devices.size(), 1U);
        const auto& host = usual->devices[0];
        EXPECT_EQ(host.device, "host");
        EXPECT_GT(host.weights_bytes, 0U);
        EXPECT_GE(host.needed_bytes, host.weights_bytes + host.kv_bytes + host.compute_bytes);
        EXPECT_LE(host.free_bytes, host.usable_bytes);

        api::EstimateRequest larger{.model = "a"};
        larger.parallel = 8;
        larger.context = 2048;
        const auto other = client.estimate(larger);
        ASSERT_TRUE(other) << other.error().message();
        EXPECT_EQ(other->slots, 8U);
        EXPECT_EQ(other->context_per_slot, 2048U);
        EXPECT_EQ(client.models({})->items[0].state, "off");
        ASSERT_TRUE(client.load("a", Wait::until_done));
        EXPECT_EQ(client.estimate({.model = "a"})->verdict, "loaded");
    });
}

TEST_F(ExplainTest, AnEstimateOfWhatWouldNotFitIsAnAnswer) {
    loaded_.config.memory.budget["host"] = 1 * mib;
    live([](Client& client) {
        const auto estimate = client.estimate({.model = "a"});
        ASSERT_TRUE(estimate) << estimate.error().message();
        EXPECT_EQ(estimate->verdict, "would_not_fit");
        EXPECT_THAT(estimate->reason, HasSubstr("on 'host'"));
    });
}

TEST_F(ExplainTest, RefusesAnEstimateThatMakesNoSense) {
    live([](Client& client) {
        EXPECT_EQ(client.estimate({.model = "none"}).error().code(), Errc::model_not_found);
        api::EstimateRequest wrong{.model = "a"};
        wrong.cache_type = "q9_9";
        EXPECT_EQ(client.estimate(wrong).error().code(), Errc::invalid_request);
        EXPECT_THAT(client.estimate(wrong).error().message(), HasSubstr("not 'q9_9'"));
    });
}

TEST_F(ExplainTest, ExplainsModelsByAnyNameAndRequestsByTheirId) {
    shut("a");
    live([this](Client& client) {
        request("a", "r-1");
        open();
        ASSERT_TRUE(client.load("a", Wait::until_done));
        const auto about_model = client.explain("A");
        ASSERT_TRUE(about_model) << about_model.error().message();
        EXPECT_THAT(about_model->items, Contains(Field(&api::Decision::type, "instance.starting")));
        EXPECT_THAT(about_model->items, Each(Field(&api::Decision::model, "a")));
        const auto about_request = client.explain("r-1");
        ASSERT_TRUE(about_request) << about_request.error().message();
        ASSERT_GE(about_request->items.size(), 3U);
        EXPECT_EQ(about_request->items.front().type, "request.waits");
        EXPECT_EQ(about_request->items.front().request, "r-1");
        EXPECT_EQ(about_request->items.back().type, "request.granted");
        EXPECT_THAT(client.explain("b")->items, IsEmpty());
        EXPECT_EQ(client.explain("never").error().code(), Errc::not_found);
        leave();
    });
}

}  // namespace
}  // namespace routerd::test
