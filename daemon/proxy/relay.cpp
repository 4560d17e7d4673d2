#include "daemon/proxy/relay.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace routerd {
namespace {

using http::BodyKind;
using std::chrono::steady_clock;

Error client_left() {
    return {Errc::cancelled, "the client left"};
}

}  // namespace

bool Relay::complete() const noexcept {
    return kind_ == BodyKind::none || (kind_ == BodyKind::length && left_ == 0) ||
           (kind_ == BodyKind::chunked && decoder_.done());
}

bool Relay::at_boundary() const noexcept {
    return framing_ == Framing::decoded ||
           (kind_ == BodyKind::chunked && decoder_.at_chunk_start());
}

Result<std::size_t> Relay::examine(std::string_view piece) {
    if (kind_ == BodyKind::until_close) {
        tap_.see(piece);
        return piece.size();
    }
    if (kind_ == BodyKind::length) {
        const auto mine = static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size()));
        left_ -= mine;
        tap_.see(piece.substr(0, mine));
        return mine;
    }
    std::size_t mine = 0;
    while (mine < piece.size() && !decoder_.done()) {
        const auto step = decoder_.next(piece.substr(mine));
        if (decoder_.bad()) {
            return Error(Errc::upstream_error, "the model's server sent invalid chunks: " +
                                                   std::string(decoder_.fault()));
        }
        tap_.see(step.data);
        mine += step.consumed;
    }
    return mine;
}

asio::awaitable<Result<void>> Relay::pass_on(std::string_view piece) {
    if (framing_ == Framing::decoded) {
        auto passed = co_await pass_on_decoded(piece);
        co_return passed;
    }
    const auto mine = examine(piece);
    if (!mine) {
        co_return mine.error();
    }
    bytes_ += *mine;
    const auto sent =
        co_await exchange_.connection().send(piece.substr(0, *mine), exchange_.send_deadline());
    if (!sent) {
        co_return client_left();
    }
    upstream_.take(*mine);
    co_return boost::system::in_place_value;
}

asio::awaitable<Result<void>> Relay::pass_on_decoded(std::string_view piece) {
    if (kind_ != BodyKind::chunked) {
        const auto mine = examine(piece);
        const bool sent = co_await exchange_.write(piece.substr(0, *mine));
        if (!sent) {
            co_return client_left();
        }
        bytes_ += *mine;
        upstream_.take(*mine);
        co_return boost::system::in_place_value;
    }
    while (!piece.empty() && !decoder_.done()) {
        const auto step = decoder_.next(piece);
        if (decoder_.bad()) {
            co_return Error(Errc::upstream_error, "the model's server sent invalid chunks: " +
                                                      std::string(decoder_.fault()));
        }
        tap_.see(step.data);
        bytes_ += step.data.size();
        const bool sent = co_await exchange_.write(step.data);
        if (!sent) {
            co_return client_left();
        }
        upstream_.take(step.consumed);
        piece.remove_prefix(step.consumed);
    }
    co_return boost::system::in_place_value;
}

asio::awaitable<Result<void>> Relay::run(std::chrono::milliseconds stall) {
    while (!complete()) {
        const auto piece = co_await upstream_.read_some(steady_clock::now() + stall);
        if (exchange_.gone()) {
            co_return client_left();
        }
        if (!piece && piece.error().code() == Errc::deadline_exceeded) {
            co_return Error(Errc::deadline_exceeded, "the model's server sent nothing for " +
                                                         std::to_string(stall.count() / 1000) +
                                                         " s");
        }
        if (piece && piece->empty() && kind_ == BodyKind::until_close) {
            co_return boost::system::in_place_value;
        }
        if (!piece || piece->empty()) {
            co_return Error(Errc::upstream_error,
                            "the model's server broke off in the middle of its answer");
        }
        const auto passed = co_await pass_on(*piece);
        if (!passed) {
            co_return passed.error();
        }
    }
    co_return boost::system::in_place_value;
}

}  // namespace routerd
