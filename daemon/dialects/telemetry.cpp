#include "daemon/dialects/telemetry.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/control/request.hpp"
#include "daemon/control/views.hpp"
#include "daemon/telemetry/request_history.hpp"
#include "daemon/telemetry/request_summary.hpp"

namespace routerd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_looked_at = 10'000;  // of the newest requests, for figures of all
constexpr std::uint64_t usual_window = 3600;    // s
constexpr std::uint64_t longest_window = std::uint64_t{366} * 86'400;

double to_ms(std::chrono::microseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

Json body_of(const Percentiles& times) {
    return {{"p50", to_ms(times.p50)}, {"p95", to_ms(times.p95)}, {"p99", to_ms(times.p99)}};
}

Json body_of(const RequestSummary& summary) {
    return {{"requests", summary.requests},
            {"failed", summary.failed},
            {"streamed", summary.streamed},
            {"prompt_tokens", summary.prompt_tokens},
            {"completion_tokens", summary.completion_tokens},
            {"queued_ms_mean", to_ms(summary.queued)},
            {"took_ms", body_of(summary.took)},
            {"first_byte_ms", summary.first_byte ? body_of(*summary.first_byte) : Json()}};
}

Response json_answer(const Json& body) {
    return Response::json(body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

struct Window {
    std::uint64_t seconds = usual_window;
    RequestFilter filter;
};

/// `window` in seconds and `model`.
Result<Window> read_window(const Exchange& exchange) {
    Window window;
    const auto seconds = query_number(exchange, "window", usual_window);
    if (!seconds) {
        return seconds.error();
    }
    window.seconds = std::min(*seconds, longest_window);
    window.filter.since = std::chrono::system_clock::now() - std::chrono::seconds(window.seconds);
    window.filter.limit = most_looked_at;
    window.filter.model = exchange.query("model").value_or("");
    return window;
}

asio::awaitable<Result<Response>> summary(RequestHistory& history, Exchange& exchange) {
    const auto window = read_window(exchange);
    if (!window) {
        co_return window.error();
    }
    auto filter = window->filter;
    const auto rows = co_await history.newest(std::move(filter));
    if (!rows) {
        co_return rows.error();
    }
    Json models = Json::object();
    for (const auto& [model, part] : summarize_by_model(*rows)) {
        if (!model.empty()) {
            models[valid_utf8(model)] = body_of(part);
        }
    }
    co_return json_answer({{"window_seconds", window->seconds},
                           {"truncated", rows->size() == most_looked_at},
                           {"total", body_of(summarize(*rows))},
                           {"models", std::move(models)}});
}

asio::awaitable<Result<Response>> errors(RequestHistory& history, Exchange& exchange) {
    const auto window = read_window(exchange);
    if (!window) {
        co_return window.error();
    }
    auto filter = window->filter;
    filter.failed = true;
    const auto rows = co_await history.newest(std::move(filter));
    if (!rows) {
        co_return rows.error();
    }
    Json list = Json::array();
    for (const auto& kind : summarize_errors(*rows)) {
        list.push_back({{"status", kind.status},
                        {"model", kind.model.empty() ? Json() : Json(kind.model)},
                        {"count", kind.count},
                        {"last", format_rfc3339(kind.last)},
                        {"message", kind.message}});
    }
    co_return json_answer({{"window_seconds", window->seconds},
                           {"total", rows->size()},
                           {"errors", std::move(list)}});
}

asio::awaitable<Result<Response>> requests(RequestHistory& history, Exchange& exchange) {
    auto query = read_requests_query(exchange);
    if (!query) {
        co_return query.error();
    }
    const auto limit = query->limit;
    auto rows = co_await history.newest(std::move(*query));
    if (!rows) {
        co_return rows.error();
    }
    co_return json_reply(to_list(*rows, limit));
}

}  // namespace

std::vector<Route> telemetry_routes(RequestHistory& history) {
    using Show = asio::awaitable<Result<Response>> (*)(RequestHistory&, Exchange&);
    std::vector<Route> table;
    const auto add = [&history, &table](const char* pattern, Show show) {
        const auto handler = [&history, show](Exchange& exchange) {
            return show(history, exchange);
        };
        table.push_back({"GET", pattern, Scope::read, reply(handler), Dialect::openai});
    };
    add("/v1/telemetry/summary", summary);
    add("/v1/telemetry/requests", requests);
    add("/v1/telemetry/errors", errors);
    return table;
}

}  // namespace routerd
