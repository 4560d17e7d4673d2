// The part of a transfer that takes a server's answer apart.
#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/free_memory.hpp"
#include "daemon/net/turn_time.hpp"
#include "daemon/proxy/transfer.hpp"

namespace routerd {
namespace {

using http::BodyKind;

constexpr http::HeadLimits answer_limits{.line = 8U << 10U, .head = 64U << 10U, .fields = 100};
constexpr unsigned max_interim = 16;                // 1xx answers before the final one
constexpr std::size_t most_collected = 64U << 10U;  // bytes of a server's error that we read

}  // namespace

void Transfer::take(std::string_view piece) {
    begun_ = true;
    if (status_ == 0) {
        piece = take_head(piece);
    }
    if (status_ != 0 && !outcome_) {
        take_body(piece);
    }
}

void Transfer::begin_body(const http::ResponseHead& head) {
    status_ = head.status;
    keep_alive_ = head.keep_alive;
    kind_ = head.body;
    left_ = head.content_length;
    answered_at_ = turn_now();
    way_ = pilot_.on_answer(head, to_client_);
    free_memory(raw_head_);
    const bool may_be_long = kind_ == BodyKind::chunked && way_ != Way::collected;
    if (may_be_long && to_send_.empty()) {
        end_loan();
        pilot_.on_request_done();
    }
}

/// Gives what of `piece` lies behind the head; the head is whole when status_ is set.
std::string_view Transfer::take_head(std::string_view piece) {
    static thread_local http::ResponseHead head;  // its memory is used again
    while (!piece.empty()) {
        const auto had = raw_head_.size();
        if (had > 0) {
            raw_head_.append(piece);
        }
        const auto text = had > 0 ? std::string_view(raw_head_) : piece;
        const auto found = scanner_.scan(text, answer_limits);
        if (found.state == http::ParseResult::State::bad) {
            settle_bad("answered with an invalid head", found.reason);
            return {};
        }
        const bool is_incomplete = found.state == http::ParseResult::State::incomplete;
        if (is_incomplete && had == 0) {
            raw_head_.assign(piece);
        }
        if (is_incomplete) {
            return {};
        }
        const auto parsed = http::parse_response_head(text.substr(0, found.consumed), answer_limits,
                                                      exchange_.is_head_request(), head);
        if (parsed.state == http::ParseResult::State::bad) {
            settle_bad("answered with an invalid head", parsed.reason);
            return {};
        }
        piece.remove_prefix(found.consumed - had);
        scanner_.reset();
        if (head.status >= 200) {
            begin_body(head);
            return piece;
        }
        raw_head_.clear();
        if (head.status == 101 || ++interim_ > max_interim) {  // RFC 9110 15.2.2: nobody asked
            settle_bad("answered with status " + std::to_string(head.status),
                       "too many interim answers, or one that was not asked for");
            return {};
        }
    }
    return {};
}

void Transfer::append_decoded(std::string_view data) {
    if (way_ == Way::collected) {
        collected_.append(data.substr(0, most_collected - collected_.size()));
    } else if (way_ == Way::chunked && !data.empty()) {
        std::array<char, 16> size{};
        const auto end = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16).ptr;
        to_client_.append(size.data(), end).append("\r\n").append(data).append("\r\n");
    } else if (way_ == Way::plain) {
        to_client_.append(data);
    }
}

/// Goes over what of a piece belongs to this body, and hands on the data in it; gives how much that
/// is. Where the framing is broken, the transfer is settled.
template <class OnData>
std::size_t Transfer::go_over(std::string_view piece, const OnData& on_data) {
    const auto note = [&](std::string_view data) {
        kind_ == BodyKind::length&& left_ == 0 ? tap_.see_last(data) : tap_.see(data);
        bytes_ += data.size();
        pieces_ += data.empty() ? 0U : 1U;
        on_data(data);
    };
    if (kind_ == BodyKind::until_close) {
        note(piece);
        return piece.size();
    }
    if (kind_ == BodyKind::length) {
        const auto mine = static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size()));
        left_ -= mine;
        note(piece.substr(0, mine));
        return mine;
    }
    std::size_t mine = 0;
    while (kind_ == BodyKind::chunked && mine < piece.size() && !decoder_.done()) {
        const auto step = decoder_.next(piece.substr(mine));
        if (decoder_.bad()) {
            settle_bad("sent invalid chunks", decoder_.fault());
            break;
        }
        note(step.data);
        mine += step.consumed;
    }
    return mine;
}

void Transfer::take_body(std::string_view piece) {
    const bool is_verbatim = way_ == Way::verbatim;
    const auto mine = is_verbatim ? go_over(piece, [](std::string_view /*data*/) {})
                                  : go_over(piece, [this](auto data) { append_decoded(data); });
    if (outcome_) {
        return;
    }
    excess_ = excess_ || mine < piece.size();
    if (is_verbatim) {
        return pass_on(piece.substr(0, mine));
    }
    if (complete() && way_ == Way::chunked) {
        to_client_ += "0\r\n\r\n";
    }
    pass_on({});
}

}  // namespace routerd
