#include <utility>

#include "common/api/codec.hpp"
#include "common/api/error_body.hpp"
#include "common/base/text.hpp"
#include "common/client/client.hpp"

namespace routerd::client {
namespace {

constexpr std::chrono::seconds quick_limit{30};

/// What the daemon says is wrong, whatever the shape of its answer.
Error answer_error(unsigned status, const std::string& body) {
    const auto known = api::decode<api::ErrorBody>(body);
    return (known ? *known : api::ErrorBody{}).to_error(status);
}

Error no_daemon(const std::vector<std::string>& tried, bool forbidden) {
    const Error error(Errc::unreachable, "no daemon answers at " + join(tried, ", nor at "));
    return forbidden ? error.with_hint(
                           "the socket belongs to somebody else: ask to be put into its group, or "
                           "start your own daemon with: routerd --user")
                     : error.with_hint(
                           "start one with: systemctl start routerd, or your own with: "
                           "routerd --user");
}

}  // namespace

Client::Client(Options options) : options_(std::move(options)) {}

Patience Client::patience(Wait wait) const {
    Patience patience;
    patience.stop_fd = options_.stop_fd;
    if (options_.timeout) {
        patience.deadline = std::chrono::steady_clock::now() + *options_.timeout;
    } else if (wait == Wait::no) {
        patience.deadline = std::chrono::steady_clock::now() + quick_limit;
    }
    return patience;
}

Result<Socket> Client::connect(const Patience& patience) {
    std::vector<std::string> tried;
    bool forbidden = false;
    for (const auto& address : options_.addresses) {
        auto socket = Socket::connect(address, patience);
        if (socket) {
            address_ = address;
            return socket;
        }
        if (socket.error().code() != Errc::unreachable) {
            return socket.error();
        }
        const auto reason = socket.error().message();
        forbidden = forbidden || reason == "Permission denied";
        tried.push_back(address.text() + " (" + reason + ")");
    }
    return no_daemon(tried, forbidden);
}

Result<Exchange> Client::begin(Request request, const Patience& patience) {
    auto socket = connect(patience);
    if (!socket) {
        return socket.error();
    }
    if (!options_.api_key.empty()) {
        request.authorization = "Bearer " + options_.api_key;
    }
    auto exchange = Exchange::start(std::move(*socket), *address_, request, patience);
    if (!exchange) {
        return exchange.error().within(request.method + " " + request.target + " at " +
                                       address_->text());
    }
    if (exchange->status() >= 300) {
        const auto body = exchange->read_all(patience);
        return answer_error(exchange->status(), body ? *body : std::string());
    }
    return exchange;
}

Result<std::string> Client::call(Request request, Wait wait) {
    const auto limit = patience(wait);
    auto exchange = begin(std::move(request), limit);
    if (!exchange) {
        return exchange.error();
    }
    return exchange->read_all(limit);
}

Result<void> Client::stream(Request request, const SseParser::Sink& sink) {
    request.accept = "text/event-stream";
    const auto limit = patience(Wait::until_done);
    auto exchange = begin(std::move(request), limit);
    if (!exchange) {
        return exchange.error();
    }
    if (!exchange->content_type().starts_with("text/event-stream")) {
        return Error(Errc::upstream_error, "expected a stream of events, got '" +
                                               escaped(exchange->content_type()) + "'");
    }
    SseParser parser;
    for (;;) {
        const auto piece = exchange->read(limit);
        if (!piece) {
            return piece.error();
        }
        if (!*piece) {
            return {};
        }
        const auto more = parser.push(**piece, sink);
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return {};
        }
    }
}

}  // namespace routerd::client
