#include "daemon/control/request.hpp"

#include <algorithm>
#include <chrono>

#include "common/api/error_body.hpp"
#include "common/base/log.hpp"
#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/catalog/names.hpp"
#include "daemon/control/control.hpp"
#include "daemon/http/error_response.hpp"
#include "daemon/telemetry/request_history.hpp"

namespace routerd {
namespace {

Error bad_parameter(std::string_view name, const std::string& wanted, const std::string& text) {
    return Error(Errc::invalid_request, "parameter '" + std::string(name) + "' must be " + wanted +
                                            ", not '" + escaped(text) + "'")
        .with_param(std::string(name));
}

}  // namespace

Result<bool> query_flag(const Exchange& exchange, std::string_view name, bool otherwise) {
    const auto text = exchange.query(name);
    if (!text) {
        return otherwise;
    }
    if (*text == "true" || *text == "1" || text->empty()) {
        return true;
    }
    if (*text == "false" || *text == "0") {
        return false;
    }
    return bad_parameter(name, "true or false", *text);
}

Result<std::uint64_t> query_number(const Exchange& exchange, std::string_view name,
                                   std::uint64_t otherwise) {
    const auto text = exchange.query(name);
    if (!text) {
        return otherwise;
    }
    const auto number = number_in<std::uint64_t>(*text);
    if (!number) {
        return bad_parameter(name, "a whole number", *text);
    }
    return *number;
}

Result<std::optional<WallTime>> query_time(const Exchange& exchange, std::string_view name) {
    const auto text = exchange.query(name);
    if (!text) {
        return std::optional<WallTime>();
    }
    const auto time = parse_rfc3339(*text);
    if (!time) {
        return bad_parameter(name, "a time (example: 2026-01-31T09:30:00Z)", *text);
    }
    return time;
}

Result<RequestFilter> read_requests_query(const Exchange& exchange) {
    constexpr std::uint64_t longest = std::uint64_t{7} * 86'400'000;  // ms; nothing takes longer
    constexpr std::uint64_t most = RequestHistory::most_listed;
    RequestFilter filter;
    const auto limit = query_number(exchange, "limit", filter.limit);
    const auto slow = query_number(exchange, "slow_ms", 0);
    const auto cursor = query_number(exchange, "cursor", 0);
    const auto failed = query_flag(exchange, "failed", false);
    for (const auto* number : {&limit, &slow, &cursor}) {
        if (!*number) {
            return number->error();
        }
    }
    if (!failed) {
        return failed.error();
    }
    filter.limit = *limit == 0 ? most : std::min(*limit, most);
    filter.slow = std::chrono::milliseconds(std::min(*slow, longest));
    if (*cursor != 0) {
        filter.before = *cursor;
    }
    filter.failed = *failed;
    filter.model = exchange.query("model").value_or("");
    return filter;
}

Result<void> check_content_type(const Exchange& exchange) {
    if (exchange.is_control() || exchange.body().empty()) {
        return {};
    }
    const auto given = exchange.head().find("content-type").value_or("");
    const auto type = trim(given.substr(0, given.find(';')));
    if (!iequals(type, "application/json")) {
        return Error(Errc::invalid_request,
                     "the body is '" + escaped(type) + "', and must be application/json")
            .with_hint("send the header content-type: application/json");
    }
    return {};
}

Result<std::shared_ptr<const Model>> find_model(Control& control, std::string_view name) {
    return model_named(*control.services().catalog.snapshot(), name);
}

Result<std::shared_ptr<const Model>> path_model(Control& control, const Exchange& exchange) {
    return find_model(control, exchange.param("id"));
}

Response control_error(const Error& error) {
    Response response;
    response.status = http_status(error);
    if (error.code() == Errc::internal) {
        spdlog::error("control request: {}", escaped(error.message()));
        const Error hidden(Errc::internal, "internal error; the daemon's log has it");
        response.body = api::encode(api::ErrorBody::from(hidden));
        return response;
    }
    response.body = api::encode(api::ErrorBody::from(error));
    if (response.status == 503 || response.status == 429) {
        const auto delay = error.retry_after().value_or(std::chrono::seconds(1));
        response.headers.emplace_back("retry-after", std::to_string(delay.count()));
    }
    return response;
}

}  // namespace routerd
