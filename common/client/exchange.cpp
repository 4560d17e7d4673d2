#include "common/client/exchange.hpp"

#include <algorithm>
#include <utility>

namespace routerd::client {
namespace {

constexpr std::size_t buffer_size = 64U << 10U;
constexpr std::size_t max_body = 64U << 20U;

Error not_http(std::string_view reason) {
    return {Errc::upstream_error, "the answer is not HTTP: " + std::string(reason)};
}

Error broken_off() {
    return {Errc::upstream_error, "the connection ended in the middle of the answer"};
}

std::string head_of(const Address& address, const Request& request) {
    std::string head = request.method + " " + request.target + " HTTP/1.1\r\nHost: ";
    head += address.path.empty() ? address.text().substr(std::string_view("http://").size())
                                 : "localhost";
    head += "\r\nUser-Agent: routerctl/" ROUTERD_VERSION "\r\nAccept: " + request.accept;
    if (!request.authorization.empty()) {
        head += "\r\nAuthorization: " + request.authorization;
    }
    if (!request.body.empty()) {
        head += "\r\nContent-Type: application/json";
    }
    if (!request.body.empty() || request.method != "GET") {
        head += "\r\nContent-Length: " + std::to_string(request.body.size());
    }
    return head + "\r\nConnection: close\r\n\r\n";
}

}  // namespace

Exchange::Exchange(Socket socket) : socket_(std::move(socket)), buffer_(buffer_size) {}

Result<Exchange> Exchange::start(Socket socket, const Address& address, const Request& request,
                                 const Patience& patience) {
    Exchange exchange(std::move(socket));
    const auto sent = exchange.socket_.send(head_of(address, request) + request.body, patience);
    if (!sent && sent.error().code() != Errc::upstream_error) {
        return sent.error();  // a daemon that hangs up early has usually said why: read it
    }
    const auto read = exchange.read_head(patience);
    if (!read) {
        return read.error();
    }
    return exchange;
}

/// More bytes from the socket into buffer_; false at the end of the stream.
Result<bool> Exchange::fill(const Patience& patience) {
    const auto received = socket_.receive(buffer_.data(), buffer_.size(), patience);
    if (!received) {
        return received.error();
    }
    unread_ = std::string_view(buffer_.data(), *received);
    return *received != 0;
}

Result<void> Exchange::read_head(const Patience& patience) {
    std::string bytes;
    http::HeadScanner scanner;
    const http::HeadLimits limits;
    for (;;) {
        const auto found = scanner.scan(bytes, limits);
        if (found.state == http::ParseResult::State::bad) {
            return not_http(found.reason);
        }
        if (found.state == http::ParseResult::State::incomplete) {
            const auto more = fill(patience);
            if (!more) {
                return more.error();
            }
            if (!*more) {
                return broken_off();
            }
            bytes += unread_;
            continue;
        }
        http::ResponseHead head;
        const std::string_view text(bytes.data(), found.consumed);
        const auto parsed = http::parse_response_head(text, limits, false, head);
        if (parsed.state != http::ParseResult::State::complete) {
            return not_http(parsed.reason);
        }
        if (head.status >= 200) {
            status_ = head.status;
            content_type_ = head.find("content-type").value_or("");
            body_ = head.body;
            left_ = head.content_length;
            // What came along with the head is of the last read, so the buffer holds it.
            const auto rest = bytes.size() - found.consumed;
            std::copy_n(bytes.data() + found.consumed, rest, buffer_.data());
            unread_ = std::string_view(buffer_.data(), rest);
            return {};
        }
        bytes.erase(0, found.consumed);  // 100 Continue and its like
        scanner.reset();
    }
}

Result<std::optional<std::string_view>> Exchange::read(const Patience& patience) {
    if (body_ == http::BodyKind::none || (body_ == http::BodyKind::length && left_ == 0)) {
        return std::optional<std::string_view>();
    }
    if (body_ == http::BodyKind::chunked) {
        return read_chunk(patience);
    }
    if (unread_.empty()) {
        const auto more = fill(patience);
        if (!more) {
            return more.error();
        }
        if (!*more && body_ == http::BodyKind::length) {
            return broken_off();
        }
        if (!*more) {
            return std::optional<std::string_view>();
        }
    }
    auto piece = std::exchange(unread_, {});
    if (body_ == http::BodyKind::length) {
        piece =
            piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), left_)));
        left_ -= piece.size();
    }
    return std::optional(piece);
}

Result<std::optional<std::string_view>> Exchange::read_chunk(const Patience& patience) {
    for (;;) {
        while (!unread_.empty()) {
            const auto step = chunks_.next(unread_);
            unread_.remove_prefix(step.consumed);
            if (chunks_.bad()) {
                return not_http(chunks_.fault());
            }
            if (!step.data.empty()) {
                return std::optional(step.data);
            }
            if (chunks_.done()) {
                body_ = http::BodyKind::none;
                return std::optional<std::string_view>();
            }
        }
        const auto more = fill(patience);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return broken_off();
        }
    }
}

Result<std::string> Exchange::read_all(const Patience& patience) {
    std::string all;
    for (;;) {
        const auto piece = read(patience);
        if (!piece) {
            return piece.error();
        }
        if (!*piece) {
            return all;
        }
        all += **piece;
        if (all.size() > max_body) {
            return Error(Errc::payload_too_large, "the answer is larger than 64 MiB");
        }
    }
}

}  // namespace routerd::client
