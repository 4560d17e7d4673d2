#include "common/api/error_body.hpp"

#include "common/api/fields.hpp"
#include "common/base/units.hpp"

namespace routerd::api {
namespace {

Errc code_for(unsigned status) noexcept {
    switch (status) {
        case 400:
        case 405:
        case 415:
            return Errc::invalid_request;
        case 401:
            return Errc::invalid_api_key;
        case 403:
            return Errc::forbidden;
        case 404:
            return Errc::not_found;
        case 409:
            return Errc::conflict;
        case 413:
            return Errc::payload_too_large;
        case 429:
            return Errc::rate_limited;
        case 502:
            return Errc::upstream_error;
        case 503:
            return Errc::unavailable;
        case 504:
            return Errc::deadline_exceeded;
        default:
            return Errc::internal;
    }
}

}  // namespace

template <class Io>
void fields(Io& io, Of<Io, ErrorInfo> error) {
    io("message", error.message);
    io("type", error.type);
    io("code", error.code);
    io("param", error.param);
    io("hint", error.hint);
    io("retry_after", error.retry_after);
    io("required_mb", error.required_mb);
    io("available_mb", error.available_mb);
    io("loaded_models", error.loaded_models);
}

template <class Io>
void fields(Io& io, Of<Io, ErrorBody> body) {
    io("error", body.error);
}

ErrorBody ErrorBody::from(const Error& error) {
    ErrorBody body;
    body.error.message = error.message();
    body.error.code = to_string(error.code());
    body.error.type = body.error.code;
    body.error.param = error.param();
    body.error.hint = error.hint();
    body.error.retry_after = error.retry_after();
    if (const auto* fit = error.fit()) {
        body.error.required_mb = (fit->required + mib - 1) / mib;
        body.error.available_mb = fit->available / mib;
        body.error.loaded_models = fit->loaded;
    }
    return body;
}

Error ErrorBody::to_error(unsigned status) const {
    const auto code = errc_from_string(error.code).value_or(code_for(status));
    Error result(code,
                 error.message.empty() ? "HTTP status " + std::to_string(status) : error.message);
    if (!error.hint.empty()) {
        result = result.with_hint(error.hint);
    }
    return error.retry_after ? result.with_retry_after(*error.retry_after) : result;
}

ROUTERD_API_CODEC(ErrorBody);

}  // namespace routerd::api
