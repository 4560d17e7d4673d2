#include "daemon/transfer/document_fetch.hpp"

#include <chrono>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::transfer {
namespace {

constexpr std::size_t longest_answer_head = std::size_t{64} << 10U;
constexpr unsigned most_redirects = 10;
constexpr unsigned most_tries = 5;
constexpr auto first_delay = std::chrono::milliseconds(200);

bool may_pass(unsigned status) {
    constexpr unsigned too_many = 429;
    constexpr unsigned bad_gateway = 502;
    constexpr unsigned gateway_timeout = 504;
    return status == too_many || (status >= bad_gateway && status <= gateway_timeout);
}

}  // namespace

DocumentFetch::DocumentFetch(Engine& engine, std::uint64_t id, Question question)
    : engine_(engine),
      id_(id),
      question_(std::move(question)),
      request_(engine.curl(), engine.multi(), *this, {engine.settings().proxy, 0}) {
    start(question_.url);
}

DocumentFetch::~DocumentFetch() = default;

void DocumentFetch::start(http::Url url) {
    std::vector<std::string> headers{"Accept-Encoding: identity"};
    if (!question_.accept.empty()) {
        headers.push_back("Accept: " + question_.accept);
    }
    if (!question_.token.empty() && same_origin(url, question_.url)) {
        headers.push_back("Authorization: Bearer " + question_.token);
    }
    url_ = std::move(url);
    head_ = {};
    answer_ = {};
    error_.reset();
    last_byte_ = steady_now();
    if (auto failed = request_.start(*url_, headers, question_.policy)) {
        end(Result<Answer>(std::move(*failed)));
    }
}

bool DocumentFetch::on_line(std::string_view line) {
    take_line(head_, line);
    if (line.starts_with("HTTP/")) {
        answer_.headers.clear();
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        answer_.headers.emplace_back(to_lower(line.substr(0, colon)),
                                     std::string(trim(line.substr(colon + 1))));
    }
    if (head_.bytes > longest_answer_head) {
        error_ = Error(Errc::upstream_error, "the origin sends an endless head");
    }
    return !error_;
}

Request::Sink::Taken DocumentFetch::on_data(std::span<const char> data) {
    last_byte_ = steady_now();
    if (answer_.body.size() + data.size() > question_.most) {
        error_ = Error(Errc::payload_too_large,
                       "'" + url_->shown() + "' is longer than " + format_bytes(question_.most));
        return Taken::refused;
    }
    answer_.body.append(data.data(), data.size());
    return Taken::all;
}

bool DocumentFetch::finish(const CURL* easy, CURLcode code) {
    if (!request_.owns(easy)) {
        return false;
    }
    const auto error = error_             ? error_
                       : code == CURLE_OK ? std::optional<Error>()
                                          : std::optional(request_.failure(code));
    request_.end();
    constexpr unsigned first_redirect = 300;
    constexpr unsigned past_redirects = 400;
    if (error) {
        again_or_end(*error, std::nullopt);
    } else if (head_.status >= first_redirect && head_.status < past_redirects &&
               !head_.location.empty()) {
        follow();
    } else if (may_pass(head_.status) && failures_ + 1 < most_tries) {
        again_or_end(Error(Errc::unavailable, "status " + std::to_string(head_.status)),
                     parse_retry_after(head_.retry_after, std::chrono::system_clock::now()));
    } else {
        answer_.status = head_.status;
        end(Result<Answer>(std::move(answer_)));
    }
    return true;
}

void DocumentFetch::follow() {
    auto next = http::resolve_location(*url_, head_.location);
    const auto allowed = next ? question_.policy.check(*next) : Result<void>(next.error());
    if (!allowed) {
        end(Result<Answer>(
            allowed.error().within("follow a redirect of '" + url_->origin.host + "'")));
    } else if (++hops_ > most_redirects) {
        end(Result<Answer>(Error(Errc::upstream_error,
                                 "'" + question_.url.origin.host + "' redirects in circles")));
    } else {
        start(std::move(*next));
    }
}

void DocumentFetch::again_or_end(Error error, std::optional<std::chrono::seconds> delay) {
    if (error.code() != Errc::unavailable || ++failures_ >= most_tries) {
        end(Result<Answer>(std::move(error)));
        return;
    }
    retry_at_ = steady_now() + (delay ? std::chrono::milliseconds(*delay)
                                      : std::chrono::milliseconds(first_delay * failures_));
}

void DocumentFetch::step(TimePoint now) {
    if (over_) {
        return;
    }
    if (!request_.is_running() && now >= retry_at_) {
        hops_ = 0;
        start(question_.url);
    } else if (request_.is_running() && now - last_byte_ > engine_.settings().stall_timeout) {
        request_.end();
        again_or_end(
            Error(Errc::unavailable, "'" + url_->origin.host + "' sent nothing for " +
                                         format_duration(engine_.settings().stall_timeout)),
            std::nullopt);
    }
}

void DocumentFetch::stop() {
    end(Result<Answer>(Error(Errc::cancelled, "stopped")));
}

void DocumentFetch::end(Result<Answer> answer) {
    if (over_) {
        return;
    }
    request_.end();
    over_ = true;
    Told told;
    told.id = id_;
    told.answer = std::move(answer);
    engine_.tell(std::move(told));
}

}  // namespace routerd::transfer
