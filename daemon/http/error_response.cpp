#include "daemon/http/error_response.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd {
namespace {

using nlohmann::json;

/// What OpenAI's clients switch on beside the code.
std::string_view openai_type(unsigned status) noexcept {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 429:
            return "rate_limit_error";
        default:
            return status < 500 ? "invalid_request_error" : "server_error";
    }
}

/// The types of Anthropic's documented errors.
std::string_view anthropic_type(unsigned status) noexcept {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 413:
            return "request_too_large";
        case 429:
            return "rate_limit_error";
        case 503:
            return "overloaded_error";
        default:
            return status < 500 ? "invalid_request_error" : "api_error";
    }
}

/// What a client may read: an internal fault is for our log alone.
std::string public_message(const Error& error) {
    auto message = error.code() == Errc::internal
                       ? std::string("internal error; the daemon's log has it")
                       : escaped(error.message());
    if (!error.hint().empty() && error.code() != Errc::internal) {
        message += " (hint: " + escaped(error.hint()) + ")";
    }
    return message;
}

/// "ModelNotFound" from "model_not_found".
std::string camel_case(std::string_view word) {
    std::string result;
    bool upper = true;
    for (const char c : word) {
        if (c == '_') {
            upper = true;
            continue;
        }
        result += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        upper = false;
    }
    return result;
}

/// The contract's figures of would_not_fit; nothing for other errors.
json fit_fields(const Error& error) {
    const auto* fit = error.fit();
    if (fit == nullptr) {
        return json::object();
    }
    return {{"required_mb", (fit->required + mib - 1) / mib},
            {"available_mb", fit->available / mib},
            {"loaded_models", fit->loaded}};
}

json make_body(const Error& error, Dialect dialect) {
    const auto status = http_status(error);
    const auto message = public_message(error);
    switch (dialect) {
        case Dialect::anthropic:
            return {{"type", "error"},
                    {"error", {{"type", anthropic_type(status)}, {"message", message}}}};
        case Dialect::registry:
            return {{"error", camel_case(to_string(error.code()))},
                    {"message", message},
                    {"details", fit_fields(error)}};
        case Dialect::openai:
            break;
    }
    json body = {{"message", message},
                 {"type", openai_type(status)},
                 {"param", error.param().empty() ? json() : json(error.param())},
                 {"code", to_string(error.code())}};
    body.update(fit_fields(error));
    return {{"error", std::move(body)}};
}

}  // namespace

unsigned http_status(const Error& error) noexcept {
    switch (error.code()) {
        case Errc::internal:
            return 500;
        case Errc::invalid_request:
            return 400;
        case Errc::invalid_api_key:
            return 401;
        case Errc::forbidden:
            return 403;
        case Errc::not_found:
        case Errc::model_not_found:
            return 404;
        case Errc::conflict:
            return 409;
        case Errc::payload_too_large:
            return 413;
        case Errc::rate_limited:
            return 429;
        case Errc::queue_full:
        case Errc::would_not_fit:
        case Errc::load_failed:
        case Errc::quarantined:
        case Errc::shutting_down:
        case Errc::unreachable:
        case Errc::unavailable:
            return 503;
        case Errc::deadline_exceeded:
            return 504;
        case Errc::upstream_error:
            return 502;
        case Errc::cancelled:
            return 499;
    }
    return 500;
}

std::string error_body(const Error& error, Dialect dialect) {
    return make_body(error, dialect).dump();
}

std::string error_event(const Error& error, Dialect dialect) {
    const auto* prefix = dialect == Dialect::anthropic ? "event: error\ndata: " : "data: ";
    return prefix + error_body(error, dialect) + "\n\n";
}

Response error_response(const Error& error, Dialect dialect) {
    auto response = Response::json(error_body(error, dialect), http_status(error));
    if (response.status == 503 || response.status == 429) {
        const auto delay = error.retry_after().value_or(std::chrono::seconds(1));
        response.headers.emplace_back("retry-after",
                                      std::to_string(std::max<std::int64_t>(1, delay.count())));
    }
    if (response.status == 401) {
        response.headers.emplace_back("www-authenticate", "Bearer");
    }
    return response;
}

}  // namespace routerd
