#include <set>

#include "common/api/openapi.hpp"
#include "tests/unit/daemon/dialects/llama_router_fixture.hpp"

namespace routerd::test {
namespace {

const Json& document() {
    static const Json parsed = Json::parse(api::openapi_document());
    return parsed;
}

const Json& resolved(const Json& schema) {
    return schema.contains("$ref")
               ? document().at(Json::json_pointer(schema.at("$ref").get<std::string>().substr(1)))
               : schema;
}

void expect_as_described(const Json& value, const Json& reference, const std::string& where) {
    const auto& schema = resolved(reference);
    if (value.is_null()) {
        EXPECT_TRUE(schema.value("nullable", false)) << where << " must not be null";
        return;
    }
    const auto type = schema.at("type").get<std::string>();
    const std::string is = value.is_number_integer() ? "integer" : value.type_name();
    EXPECT_TRUE(is == type || (is == "integer" && type == "number")) << where << " is " << is;
    if (schema.contains("enum")) {
        EXPECT_THAT(schema.at("enum"), testing::Contains(value)) << where;
    }
    if (value.is_array()) {
        for (const auto& item : value) {
            expect_as_described(item, schema.at("items"), where + "[]");
        }
    }
    if (!value.is_object()) {
        return;
    }
    const auto properties = schema.value("properties", Json::object());
    for (const auto& item : value.items()) {
        const bool is_free = schema.contains("additionalProperties");
        EXPECT_TRUE(is_free || properties.contains(item.key())) << where << "." << item.key();
        if (is_free || properties.contains(item.key())) {
            expect_as_described(
                item.value(),
                is_free ? schema.at("additionalProperties") : properties.at(item.key()),
                where + "." + item.key());
        }
    }
    for (const auto& name : schema.value("required", Json::array())) {
        EXPECT_TRUE(value.contains(name.get<std::string>())) << where << " lacks " << name;
    }
}

void expect_schema(const Json& value, const std::string& name) {
    expect_as_described(value, document().at("components").at("schemas").at(name), name);
}

const Json& schema_of(const std::string& path, const std::string& method,
                      const std::string& status) {
    const auto& response = document().at("paths").at(path).at(method).at("responses").at(status);
    return response.at("content").at("application/json").at("schema");
}

TEST_F(LlamaRouterTest, EveryRouteIsDescribed) {
    serve([this]() -> asio::awaitable<void> {
        for (const auto& route : router->routes()) {
            if (route.pattern.find("{owner}") == std::string::npos) {
                const auto& paths = document().at("paths");
                EXPECT_TRUE(paths.contains(route.pattern) &&
                            paths.at(route.pattern).contains(to_lower(route.method)))
                    << route.method << " " << route.pattern;
            }
        }
        co_return;
    });
}

TEST_F(LlamaRouterTest, AnswersAreAsDescribed) {
    add_model("a");
    add_model("bad", "crash-load");
    health = {{.model = "a",
               .state = InstanceState::ready,
               .uptime_percent = 99,
               .consecutive_failures = 0,
               .response_time = 5ms,
               .last_check = std::chrono::system_clock::now()}};
    serve([this]() -> asio::awaitable<void> {
        const auto refused = co_await lease(*fleet_, "bad");
        EXPECT_FALSE(refused);
        co_await use("a");
        for (const std::string path : {"/v1/models/status", "/v1/models/failed", "/v1/queue/stats",
                                       "/v1/health/models", "/health", "/vram", "/vram/summary"}) {
            const auto answer = co_await get(path);
            EXPECT_EQ(answer.status, 200U) << path;
            expect_as_described(answer.body, schema_of(path, "get", "200"), path);
        }
        const auto status = co_await get("/v1/models/a/status");
        expect_schema(status.body, "RouterModelStatus");
        const auto memory = co_await get("/vram/models/a");
        expect_schema(memory.body, "VramModel");
        const auto unknown = co_await get("/vram/models/nobody");
        expect_schema(unknown.body, "OpenAiError");
        const auto reset = co_await ask("POST", "/v1/models/bad/reset");
        expect_schema(reset.body, "ModelReset");
        const auto ejected = co_await ask("POST", "/v1/models/eject", R"({"model": "a"})");
        expect_schema(ejected.body, "EjectResult");
    });
}

TEST_F(LlamaRouterTest, EventsOfTheStreamAreAsDescribed) {
    add_model("a");
    serve([this]() -> asio::awaitable<void> {
        Watcher watcher(client());
        const auto first = co_await watcher.next();
        expect_schema(first.data, "RouterStatus");
        EXPECT_TRUE(fleet_->start_load("a"));
        const auto update = co_await watcher.next();
        expect_schema(update.data, "RouterModelUpdate");
    });
}

}  // namespace
}  // namespace routerd::test
