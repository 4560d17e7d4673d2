#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/units.hpp"
#include "daemon/dialects/llama_router_bodies.hpp"

namespace routerd::llama_router {
namespace {

using namespace std::chrono_literals;

DeviceReport device(const std::string& id, DeviceKind kind, std::uint64_t total) {
    DeviceReport report;
    report.device = {id, kind, "a " + id, ""};
    report.total = total;
    report.usable = total - 100 * mib;
    report.foreign = 10 * mib;
    report.reserved = 20 * mib;
    report.free = report.usable - 30 * mib;
    return report;
}

DeviceReport host() {
    return device("host", DeviceKind::host, 1000 * mib);
}

DeviceReport gpu(const std::string& id) {
    return device(id, DeviceKind::nvidia, 500 * mib);
}

InstanceView view_of(std::uint64_t id, const std::string& model, std::uint64_t rss_bytes) {
    InstanceView view;
    view.id = id;
    view.model = model;
    view.state = InstanceState::ready;
    view.pid = 4711;
    view.rss_bytes = rss_bytes;
    return view;
}

TEST(LlamaRouterMemory, OnlyOnTheHostWhatTheProcessHasIsItsMemory) {
    auto machine = host();
    machine.holders = {{1, "a", InstanceState::ready, 99 * mib}};
    const auto held = held_by("a", {{machine}, {view_of(1, "a", 27 * mib)}});
    EXPECT_EQ(held, (DeviceBytes{{"host", 27 * mib}}));
    EXPECT_EQ(vram_of(held), 27 * mib);
}

TEST(LlamaRouterMemory, OfAModelOnGpusThatIsCountedAlone) {
    auto first = gpu("cuda0");
    first.holders = {{1, "a", InstanceState::ready, 200 * mib},
                     {2, "b", InstanceState::ready, 1 * mib}};
    auto second = gpu("cuda1");
    second.holders = {{1, "a", InstanceState::ready, 100 * mib}};
    const auto held = held_by("a", {{host(), first, second}, {view_of(1, "a", 27 * mib)}});
    EXPECT_EQ(held, (DeviceBytes{{"cuda0", 200 * mib}, {"cuda1", 100 * mib}, {"host", 27 * mib}}));
    EXPECT_EQ(vram_of(held), 300 * mib);
}

TEST(LlamaRouterMemory, SeveralServersOfAModelAreAddedUp) {
    auto card = gpu("cuda0");
    card.holders = {{1, "a", InstanceState::ready, 200 * mib},
                    {2, "a", InstanceState::ready, 100 * mib}};
    const Machine machine{
        {card}, {view_of(1, "a", 27 * mib), view_of(2, "a", 3 * mib), view_of(3, "b", 50 * mib)}};
    EXPECT_EQ(held_by("a", machine), (DeviceBytes{{"cuda0", 300 * mib}, {"host", 30 * mib}}));
}

TEST(LlamaRouterMemory, WithoutAProcessNothingIsHeld) {
    auto machine = gpu("cuda0");
    machine.holders = {{0, "a", InstanceState::off, 200 * mib}};
    InstanceView view;
    view.model = "a";
    EXPECT_TRUE(held_by("a", {{machine}, {view}}).empty());
}

TEST(LlamaRouterMemory, GpusAreCheckedAndTheHostIsNoGpu) {
    auto broken_host = host();
    broken_host.error = "cannot read";
    EXPECT_EQ(check_gpus({}), "none");
    EXPECT_EQ(check_gpus({broken_host}), "none");
    EXPECT_EQ(check_gpus({host(), gpu("cuda0")}), "ok");
    auto broken = gpu("cuda1");
    broken.error = "fell off the bus";
    EXPECT_EQ(check_gpus({host(), broken, gpu("cuda0")}), "failing");
}

TEST(LlamaRouterMemory, ADeviceTellsItsFiguresAndWhoHoldsWhat) {
    auto card = gpu("cuda0");
    card.holders = {{1, "a", InstanceState::draining, 20 * mib}};
    card.error = "fell off the bus";
    const Body expected = {
        {"id", "cuda0"},
        {"kind", "nvidia"},
        {"name", "a cuda0"},
        {"total_mb", 500},
        {"usable_mb", 400},
        {"used_mb", 30},
        {"foreign_mb", 10},
        {"reserved_mb", 20},
        {"free_mb", 370},
        {"models", {{{"model", "a"}, {"status", "stopping"}, {"reserved_mb", 20}}}},
        {"error", "fell off the bus"}};
    const auto body = vram_body({host(), card}, {});
    ASSERT_EQ(body.at("devices").size(), 2U);
    EXPECT_EQ(body.at("devices")[1], expected);
    EXPECT_EQ(body.at("devices")[0].at("kind"), "host");
    EXPECT_EQ(body.at("devices")[0].at("error"), nullptr);
    EXPECT_EQ(body.at("models"), Body::object());
}

TEST(LlamaRouterMemory, AModelTellsItsLoadTimeAndSnapshots) {
    ModelReport report;
    report.view = view_of(1, "a", 0);
    report.view.load_time = 250ms;
    report.held = {{"cuda0", 200 * mib}, {"host", 27 * mib}};
    report.history.moments = {{*parse_rfc3339("2026-11-21T12:00:00Z"),
                               InstanceState::ready,
                               {{"cuda0", 100 * mib}, {"host", 1}}}};
    const Body snapshot = {{"time", "2026-11-21T12:00:00.000Z"},
                           {"status", "ready"},
                           {"vram_used_mb", 100},
                           {"devices", {{"cuda0", 100}, {"host", 1}}}};
    const Body expected = {{"model", "a"},        {"status", "ready"},
                           {"vram_used_mb", 200}, {"devices", {{"cuda0", 200}, {"host", 27}}},
                           {"load_time_ms", 250}, {"snapshots", Body::array({snapshot})}};
    EXPECT_EQ(vram_model_body(report), expected);
    EXPECT_EQ(vram_body({}, {report}).at("models").at("a"), expected);
}

TEST(LlamaRouterMemory, TheLastLoadTimeIsRememberedWhenTheServerIsGone) {
    ModelReport report;
    report.view.model = "a";
    EXPECT_EQ(vram_model_body(report).at("load_time_ms"), nullptr);
    report.history.load_time = 250ms;
    EXPECT_EQ(vram_model_body(report).at("load_time_ms"), 250);
    EXPECT_EQ(vram_model_body(report).at("vram_used_mb"), 0);
}

TEST(LlamaRouterMemory, TheSummaryAddsUpGpusApartFromTheHost) {
    ModelReport a;
    a.held = {{"cuda0", 20 * mib}};
    ModelReport b;
    b.held = {{"host", 5 * mib}};
    const auto body = vram_summary_body({host(), gpu("cuda0"), gpu("cuda1")}, {a, b});
    const Body gpus = {{"count", 2},       {"total_mb", 1000},  {"usable_mb", 800}, {"used_mb", 60},
                       {"foreign_mb", 20}, {"reserved_mb", 40}, {"free_mb", 740}};
    EXPECT_EQ(body.at("gpu"), gpus);
    EXPECT_EQ(body.at("host").at("total_mb"), 1000);
    EXPECT_EQ(body.at("models"), (Body{{"loaded", 2}, {"vram_used_mb", 25}}));
}

}  // namespace
}  // namespace routerd::llama_router
