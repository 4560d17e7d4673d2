#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/api/codec.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/store/requests.hpp"

namespace routerd {

class Control;

/// What a control request says, checked. Errors of all: invalid_request with the parameter.
Result<bool> query_flag(const Exchange& exchange, std::string_view name, bool otherwise);
Result<std::uint64_t> query_number(const Exchange& exchange, std::string_view name,
                                   std::uint64_t otherwise);
Result<std::optional<WallTime>> query_time(const Exchange& exchange, std::string_view name);

/// `limit`, `cursor`, `model`, `slow_ms` and `failed`.
Result<RequestFilter> read_requests_query(const Exchange& exchange);

/// The body may be anything over the control socket, and must say that it is JSON elsewhere: a web
/// page can send other types without being asked.
Result<void> check_content_type(const Exchange& exchange);

template <class T>
Result<T> body_of(const Exchange& exchange) {
    const auto checked = check_content_type(exchange);
    if (!checked) {
        return checked.error();
    }
    auto value = api::decode_request<T>(exchange.body());
    if (!value) {
        return value.error().within("request body");
    }
    return value;
}

/// By id or alias, disabled ones too. Errors: model_not_found with the nearest.
Result<std::shared_ptr<const Model>> find_model(Control& control, std::string_view name);

/// The model that the path's {id} names.
Result<std::shared_ptr<const Model>> path_model(Control& control, const Exchange& exchange);

constexpr unsigned created_status = 201;

template <class T>
Response json_reply(const T& value, unsigned status = 200) {
    return Response::json(api::encode(value), status);
}

/// An error as the control API sends it: an api::ErrorBody with its hint apart.
Response control_error(const Error& error);

}  // namespace routerd
