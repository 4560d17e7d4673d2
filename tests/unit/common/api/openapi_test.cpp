#include "common/api/openapi.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/api/codec.hpp"
#include "common/api/decision.hpp"
#include "common/api/error_body.hpp"
#include "common/api/estimate.hpp"
#include "common/api/event.hpp"
#include "common/api/instance.hpp"
#include "common/api/key.hpp"
#include "common/api/memory.hpp"
#include "common/api/model.hpp"
#include "common/api/profile.hpp"
#include "common/api/pull.hpp"
#include "common/api/queue.hpp"
#include "common/api/removal.hpp"
#include "common/api/request.hpp"
#include "common/api/settings.hpp"
#include "common/api/shutdown.hpp"
#include "common/api/status.hpp"
#include "common/api/switch.hpp"
#include "common/api/upgrade.hpp"

namespace routerd::api {
namespace {

using Json = nlohmann::json;

const Json& document() {
    static const Json parsed = Json::parse(openapi_document());
    return parsed;
}

std::set<std::string> keys_of(const Json& object) {
    std::set<std::string> keys;
    for (const auto& item : object.items()) {
        keys.insert(item.key());
    }
    return keys;
}

struct SchemaCase {
    std::string schema;
    Json sample;
};

class OpenApiSchema : public testing::TestWithParam<SchemaCase> {};

TEST_P(OpenApiSchema, HasTheKeysThatAreSent) {
    const auto& schema = document().at("components").at("schemas").at(GetParam().schema);
    EXPECT_EQ(keys_of(schema.at("properties")), keys_of(GetParam().sample));
}

INSTANTIATE_TEST_SUITE_P(
    All, OpenApiSchema,
    testing::Values(
        SchemaCase{"Error", to_value(ErrorBody{})}, SchemaCase{"Event", to_value(Event{})},
        SchemaCase{"EventList", to_value(EventList{})},
        SchemaCase{"Instance", to_value(Instance{})},
        SchemaCase{"InstanceList", to_value(InstanceList{})},
        SchemaCase{"LoadResult", to_value(LoadResult{})},
        SchemaCase{"UnloadResult", to_value(UnloadResult{})},
        SchemaCase{"ModelSummary", to_value(ModelSummary{})},
        SchemaCase{"Model", to_value(Model{})},
        SchemaCase{"GgufMetadata", to_value(Model{}).at("gguf")},
        SchemaCase{"ModelChange", to_value(ModelChange{})},
        SchemaCase{"RescanRequest", to_value(RescanRequest{})},
        SchemaCase{"RescanResult", to_value(RescanResult{})},
        SchemaCase{"SwitchRequest", to_value(SwitchRequest{})},
        SchemaCase{"SwitchStage", to_value(SwitchStage{})},
        SchemaCase{"SwitchResult", to_value(SwitchResult{})},
        SchemaCase{"SwitchPlan", to_value(SwitchPlan{})},
        SchemaCase{"DeviceHolder", to_value(DeviceHolder{})},
        SchemaCase{"DeviceMemory", to_value(DeviceMemory{})},
        SchemaCase{"DeviceMemoryList", to_value(DeviceMemoryList{})},
        SchemaCase{"EstimateRequest", to_value(EstimateRequest{})},
        SchemaCase{"DeviceEstimate", to_value(DeviceEstimate{})},
        SchemaCase{"EstimateEviction", to_value(EstimateEviction{})},
        SchemaCase{"Estimate", to_value(Estimate{})},
        SchemaCase{"QueuedRequest", to_value(QueuedRequest{})},
        SchemaCase{"QueueList", to_value(QueueList{})},
        SchemaCase{"RequestEntry", to_value(RequestEntry{})},
        SchemaCase{"RequestList", to_value(RequestList{})},
        SchemaCase{"Decision", to_value(Decision{})},
        SchemaCase{"DecisionList", to_value(DecisionList{})},
        SchemaCase{"Profile", to_value(Profile{})}, SchemaCase{"LogLine", to_value(LogLine{})},
        SchemaCase{"Status", to_value(Status{})},
        SchemaCase{"ModelCounts", to_value(Status{}).at("models")},
        SchemaCase{"RequestCounts", to_value(Status{}).at("requests")},
        SchemaCase{"Check", to_value(Check{})}, SchemaCase{"ConfigEntry", to_value(ConfigEntry{})},
        SchemaCase{"Key", to_value(Key{})}, SchemaCase{"KeyList", to_value(KeyList{})},
        SchemaCase{"KeyRequest", to_value(KeyRequest{})}, SchemaCase{"NewKey", to_value(NewKey{})},
        SchemaCase{"PullFile", to_value(PullFile{})}, SchemaCase{"Pull", to_value(Pull{})},
        SchemaCase{"PullList", to_value(PullList{})},
        SchemaCase{"PullRequest", to_value(PullRequest{})},
        SchemaCase{"PullChange", to_value(PullChange{})},
        SchemaCase{"RemovedModel", to_value(RemovedModel{})},
        SchemaCase{"PruneRequest", to_value(PruneRequest{})},
        SchemaCase{"PrunedFile", to_value(PrunedFile{})},
        SchemaCase{"PruneResult", to_value(PruneResult{})},
        SchemaCase{"ShutdownRequest", to_value(ShutdownRequest{})},
        SchemaCase{"LogLevel", to_value(LogLevel{})},
        SchemaCase{"ShutdownResult", to_value(ShutdownResult{})},
        SchemaCase{"UpgradeResult", to_value(UpgradeResult{})},
        SchemaCase{"ReloadResult", to_value(ReloadResult{})}),
    [](const auto& row) { return row.param.schema; });

void collect_references(const Json& node, std::vector<std::string>& found) {
    if (node.is_object() && node.contains("$ref")) {
        found.push_back(node.at("$ref"));
        return;
    }
    if (node.is_structured()) {
        for (const auto& child : node) {
            collect_references(child, found);
        }
    }
}

TEST(OpenApiTest, ReferencesLeadSomewhere) {
    std::vector<std::string> references;
    collect_references(document(), references);
    EXPECT_FALSE(references.empty());
    for (const auto& reference : references) {
        EXPECT_TRUE(document().contains(Json::json_pointer(reference.substr(1)))) << reference;
    }
}

TEST(OpenApiTest, OperationsHaveNamesOfTheirOwn) {
    std::set<std::string> names;
    for (const auto& path : document().at("paths")) {
        for (const auto& item : path.items()) {
            if (item.key() != "parameters") {
                EXPECT_TRUE(names.insert(item.value().at("operationId")).second) << item.value();
            }
        }
    }
}

}  // namespace
}  // namespace routerd::api
