#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/free_memory.hpp"
#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/base/text_writer.hpp"
#include "daemon/http/error_response.hpp"
#include "daemon/proxy/pipeline.hpp"

namespace routerd {
namespace {

/// The sentence in an error body of llama-server's, or what there is of it.
std::string upstream_message(const std::string& body) {
    const auto document = nlohmann::json::parse(body, nullptr, false);
    if (document.is_object() && document.contains("error")) {
        const auto& error = document["error"];
        if (error.is_object() && error.contains("message") && error["message"].is_string()) {
            return error["message"].get<std::string>();
        }
        if (error.is_string()) {
            return error.get<std::string>();
        }
    }
    return body.empty() ? "the model's server gave no reason" : body.substr(0, 500);
}

/// Nearest code for a status that came from a model's server.
Errc code_for(unsigned status) noexcept {
    switch (status) {
        case 401:
            return Errc::invalid_api_key;
        case 403:
            return Errc::forbidden;
        case 404:
            return Errc::not_found;
        case 413:
            return Errc::payload_too_large;
        case 429:
            return Errc::rate_limited;
        case 503:
            return Errc::unavailable;
        default:
            return status < 500 ? Errc::invalid_request : Errc::upstream_error;
    }
}

/// Of a Retry-After field; 0 where it has a date or none of use.
unsigned seconds_in(std::string_view field) {
    constexpr unsigned most = 24 * 3600;
    const auto number = number_in<unsigned>(field).value_or(0);
    return number <= most ? number : 0;
}

// Ours to say, or not for it to say (what a server elsewhere says of its own name); no cookie is
// ever sent to it.
constexpr http::NameSet not_its_to_say{
    http::Name::content_length, http::Name::content_type,
    http::Name::server,         http::Name::date,
    http::Name::x_request_id,   http::Name::set_cookie,
    http::Name::alt_svc,        http::Name::strict_transport_security};

bool passes(const http::Field& field) {
    constexpr std::string_view cors = "access-control-";  // llama-server lets any page in
    return !not_its_to_say.has(field.known) && !iequals(field.name.substr(0, cors.size()), cors);
}

}  // namespace

void Pipeline::add_server_headers(const http::ResponseHead& head) {
    const auto options = http::connection_options(head.fields);
    for (const auto& field : head.fields) {
        if (passes(field) && !http::is_hop_by_hop(field, options)) {
            exchange_.add_header(to_lower(field.name), field.value);
        }
    }
}

Transfer::Way Pipeline::on_answer(const http::ResponseHead& head, std::string& to_client) {
    describe();
    const bool is_foreign_error = head.status >= 400 && !kind_.raw &&
                                  (waited_aloud_ || exchange_.dialect() != Dialect::openai);
    if (is_foreign_error) {
        says_it_anew_ = true;
        retry_after_ = seconds_in(head.find(http::Name::retry_after).value_or(""));
        return Transfer::Way::collected;
    }
    const bool is_old_client = exchange_.head().minor_version == 0;
    if (waited_aloud_) {
        return is_old_client ? Transfer::Way::plain : Transfer::Way::chunked;
    }
    auto way = Transfer::Way::verbatim;
    const LengthLine length(head.content_length);
    std::string_view framing;
    if (head.body == http::BodyKind::until_close || head.body == http::BodyKind::chunked) {
        const bool is_chunked = head.body == http::BodyKind::chunked;
        way = is_old_client ? Transfer::Way::plain
              : is_chunked  ? Transfer::Way::verbatim
                            : Transfer::Way::chunked;
        if (is_old_client) {
            exchange_.mark_close();
        } else {
            framing = "transfer-encoding: chunked\r\n";
        }
    } else if (head.status != 204 && head.status != 304 &&
               (!exchange_.is_head_request() || head.find(http::Name::content_length))) {
        framing = length.text();
    }
    add_server_headers(head);
    exchange_.write_head(to_client, head.status, head.find(http::Name::content_type).value_or(""),
                         framing);
    exchange_.mark_head_sent(head.status);
    return way;
}

void Pipeline::on_request_done() {
    exchange_.release_request();
    free_memory(head_);
    free_memory(rewritten_);
}

/// A server's error in a dialect that is not its own, or after our own head is out: said again in
/// the right form.
asio::awaitable<bool> Pipeline::answer_error() {
    const auto status = transfer_->status();
    Error error(code_for(status), upstream_message(transfer_->take_collected()));
    if (retry_after_ > 0) {
        error = error.with_retry_after(std::chrono::seconds(retry_after_));
    }
    // Not its words: a server may quote what it was sent, and that is nobody's but the client's.
    account_.record.error = "the model's server answered with status " + std::to_string(status);
    if (waited_aloud_) {
        co_return fail(error);
    }
    auto response = error_response(error, exchange_.dialect());
    response.status = status;
    co_await exchange_.respond(std::move(response));
    co_return true;
}

void Pipeline::describe() {
    if (std::exchange(described_, true)) {
        return;
    }
    const auto& record = account_.record;
    if (!waited_aloud_) {
        exchange_.add_header("x-router-model", record.model);
        exchange_.add_header("x-router-queue-ms", Decimal(record.queued.count()).text());
        exchange_.add_header("x-router-load-ms", Decimal(record.loaded.count()).text());
    }
}

/// Says what went wrong as far as the client can still hear it, and never as a clean end.
asio::awaitable<void> Pipeline::end_with_error() {
    const auto error = *failure_;
    const bool at_boundary = !transfer_ || transfer_->status() == 0 || transfer_->at_boundary();
    if (exchange_.gone() || (error.code() == Errc::cancelled && !dropped_)) {
        exchange_.abort();
        co_return;
    }
    if (!exchange_.head_sent()) {
        co_await exchange_.respond(error);
        co_return;
    }
    if (exchange_.head().minor_version == 0) {
        exchange_.abort();  // such a client takes an orderly close for the end of the answer
        co_return;
    }
    if (speaks_events() && at_boundary) {
        const auto event = error_event(error, exchange_.dialect());
        co_await exchange_.write_chunk(event);
    }
    exchange_.cut();
}

}  // namespace routerd
