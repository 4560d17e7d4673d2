#include "daemon/net/stream.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "daemon/net/pieces.hpp"
#include "daemon/net/tls_session.hpp"

namespace routerd {
namespace {

using State = Stream::Outcome::State;

constexpr std::size_t low_water_most = 4096;  // bytes; far from what makes a receive buffer grow

/// Bytes of a TCP socket that its peer has received for sure. nullopt: it does not say so.
std::optional<std::uint64_t> acknowledged(int socket) noexcept {
    // linux/tcp.h cannot be included beside netinet/tcp.h, whose tcp_info ends before this field.
    constexpr std::size_t bytes_acked_at = 120;
    std::array<char, bytes_acked_at + sizeof(std::uint64_t)> info{};
    socklen_t size = info.size();
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, info.data(), &size) != 0 ||
        size < info.size()) {
        return std::nullopt;
    }
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, info.data() + bytes_acked_at, sizeof(bytes));
    return bytes > 0 ? bytes - 1 : 0;  // whoever connected counts the SYN as one
}

}  // namespace

Stream::Stream(UniqueFd socket, IoLoop& loop, Owner& owner)
    : Stream(std::move(socket), loop, owner, nullptr) {}

Stream::Stream(UniqueFd socket, IoLoop& loop, Owner& owner, std::unique_ptr<TlsSession> tls)
    : Expiring(loop.deadlines()),
      loop_(loop),
      owner_(owner),
      socket_(std::move(socket)),
      tls_(std::move(tls)),
      readable_(tls_ != nullptr) {  // another loop may have read it off the socket already
    loop_.poller().add(socket_.get(), *this);
}

Stream::~Stream() {
    close();
}

void Stream::on_io(unsigned events) {
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        peer_closed_ = true;
    }
    if ((events & EPOLLOUT) != 0 && tls_ && tls_->reading_wants_output()) {
        events |= EPOLLIN;
    }
    if ((events & EPOLLOUT) != 0 && unsent_ && send_unsent() && !waits_for_output_) {
        loop_.poller().want_output(socket_.get(), *this, false);
    }
    const bool takes_output =
        (events & EPOLLOUT) != 0 && !unsent_ && std::exchange(waits_for_output_, false);
    const bool has_input = (events & ~unsigned{EPOLLOUT}) != 0 || send_error_ != 0;
    readable_ = readable_ || has_input;
    more_behind_ = more_behind_ || (has_input && kept_);
    if (takes_output) {
        loop_.poller().want_output(socket_.get(), *this, false);
        if (has_input) {
            loop_.poller().again(*this);  // the owner may be gone after on_writable()
        }
        owner_.on_writable();
    } else if (has_input) {
        owner_.on_readable();
    }
}

int Stream::wants_input_early() const noexcept {
    const bool wants = !tls_ && !readable_ && !reads_much_;
    return wants ? socket_.get() : -1;
}

void Stream::on_input(std::uint8_t place, int result) noexcept {
    if (result != -EAGAIN) {
        place_ = place;
        received_ = static_cast<std::int16_t>(result);
        received_at_ = 0;
        more_behind_ = result == static_cast<int>(Poller::early_room);
        readable_ = true;
    }
}

std::string_view Stream::received() const noexcept {
    const char* const bytes = kept_ ? kept_.get() : loop_.poller().input(place_);
    return {bytes + received_at_, static_cast<std::size_t>(std::max<int>(received_, 0))};
}

void Stream::forget_received() noexcept {
    received_ = nothing;
    kept_.reset();
}

void Stream::on_told() {
    if (received_ > 0 && !kept_) {
        const auto left = received();
        auto kept = std::make_unique_for_overwrite<char[]>(left.size());
        std::memcpy(kept.get(), left.data(), left.size());
        kept_ = std::move(kept);
        received_at_ = 0;
    }
}

Stream::Outcome Stream::read_received(std::span<char> room) noexcept {
    if (received_ <= 0) {
        const int result = std::exchange(received_, nothing);
        return outcome_of(result == 0 ? 0 : -1, -result, room.size());
    }
    const auto held = received();
    const auto count = std::min(room.size(), held.size());
    std::memcpy(room.data(), held.data(), count);
    received_at_ = static_cast<std::uint16_t>(received_at_ + count);
    received_ = static_cast<std::int16_t>(held.size() - count);
    if (received_ == 0) {
        forget_received();
        readable_ = more_behind_ || peer_closed_;
    }
    return {State::moved, count, 0};
}

std::string_view Stream::read_early() noexcept {
    if (received_ <= 0 || kept_) {
        return {};
    }
    const auto bytes = received();
    forget_received();
    readable_ = more_behind_ || peer_closed_;
    return bytes;
}

/// What a recv() means.
Stream::Outcome Stream::outcome_of(ssize_t count, int error, std::size_t room) noexcept {
    if (count > 0) {
        const auto got = static_cast<std::size_t>(count);
        readable_ = got == room || peer_closed_;
        reads_much_ = got > Poller::early_room;
        return {State::moved, got, 0};
    }
    readable_ = false;
    if (count < 0 && error == EAGAIN && send_error_ == 0) {
        return {State::would_block, 0, 0};
    }
    peer_closed_ = true;
    const int why = count < 0 && error != EAGAIN ? error : send_error_;
    return why == 0 ? Outcome{State::end, 0, 0} : Outcome{State::failed, 0, why};
}

Stream::Outcome Stream::read(std::span<char> room) noexcept {
    if (tls_) [[unlikely]] {
        return read_tls(room);
    }
    if (received_ != nothing) {
        return read_received(room);
    }
    ssize_t count = 0;
    do {
        count = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return outcome_of(count, errno, room.size());
}

std::string Stream::take_received() {
    std::string taken;
    if (received_ > 0) {
        taken = received();
        forget_received();
    }
    return taken;
}

Stream::Outcome Stream::read_tls(std::span<char> room) noexcept {
    const auto got = tls_->read(room, peer_closed_);
    readable_ = got.state == State::moved && tls_->may_have_more();
    peer_closed_ = peer_closed_ || got.state == State::end || got.state == State::failed;
    if (tls_->reading_wants_output()) {
        loop_.poller().want_output(socket_.get(), *this, true);  // told once, then no more
    }
    return got;
}

Stream::Outcome Stream::shake_hands() noexcept {
    const auto got = tls_->shake_hands();
    readable_ = false;
    if (tls_->reading_wants_output()) {
        loop_.poller().want_output(socket_.get(), *this, true);  // told once, then no more
    }
    return got;
}

std::string_view Stream::tls_fault() const noexcept {
    return tls_ ? tls_->fault() : std::string_view();
}

bool Stream::drop_tls() noexcept {
    if (!tls_ || !tls_->was_met_with_http()) {
        return false;
    }
    tls_.reset();
    peer_closed_ = false;
    readable_ = true;
    return true;
}

void Stream::set_low_water(std::size_t bytes) noexcept {
    const auto wanted = static_cast<int>(std::min<std::size_t>(bytes, low_water_most));
    if (wanted == low_water_ || tls_ || !socket_) {
        return;
    }
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted)) == 0) {
        low_water_ = static_cast<std::uint16_t>(wanted);
    }
}

void Stream::listen_rarely(bool wanted) {
    if (wanted == is_rare_ || !socket_ ||
        !loop_.poller().watch_rarely(socket_.get(), *this, wanted)) {
        return;
    }
    is_rare_ = wanted;
    if (waits_for_output_ || unsent_) {
        loop_.poller().want_output(socket_.get(), *this, true);
    }
}

/// What was taken before leaves first. nullopt: more can be sent.
std::optional<Stream::Outcome> Stream::hindrance() noexcept {
    if (sends_later_) {
        send_now();
    }
    if (send_error_ != 0) {
        return Outcome{State::failed, 0, send_error_};
    }
    return unsent_ ? std::optional(Outcome{State::would_block, 0, 0}) : std::nullopt;
}

Stream::Outcome Stream::write(std::span<asio::const_buffer>& buffers) noexcept {
    if (tls_) [[unlikely]] {
        const auto sent = tls_->write(buffers);
        written_ += sent.count;
        return sent;
    }
    if (const auto hindered = hindrance()) {
        return *hindered;
    }
    const auto whole = size_of(buffers);
    if (whole > 0 && loop_.poller().send_later(socket_.get(), buffers, whole, *this)) {
        sends_later_ = true;
        written_ += whole;
        buffers = {};
        return {State::moved, whole, 0};
    }
    return write_now(buffers);
}

Stream::Outcome Stream::write_last(std::span<asio::const_buffer>& buffers) noexcept {
    if (tls_) {
        return write(buffers);  // its end is a record of its own
    }
    if (const auto hindered = hindrance()) {
        return *hindered;
    }
    const auto send_more = [](int socket, std::span<const asio::const_buffer> pieces) {
        return send_pieces(socket, pieces, MSG_MORE);
    };
    return write_by(send_more, buffers);
}

Stream::Outcome Stream::lend(std::span<asio::const_buffer>& buffers) noexcept {
    if (const auto hindered = hindrance()) {
        return *hindered;
    }
    const auto lend_pieces = [this](int socket, std::span<const asio::const_buffer> pieces) {
        return loop_.lender().send(socket, pieces);
    };
    return write_by(lend_pieces, buffers);
}

bool Stream::took_all() const noexcept {
    int unread = 0;
    return ::ioctl(socket_.get(), SIOCOUTQ, &unread) == 0 && unread == 0;
}

Stream::Outcome Stream::write_now(std::span<asio::const_buffer>& buffers) noexcept {
    const auto send_all = [](int socket, std::span<const asio::const_buffer> pieces) {
        return send_pieces(socket, pieces, 0);
    };
    return write_by(send_all, buffers);
}

template <class Send>
Stream::Outcome Stream::write_by(const Send& send,
                                 std::span<asio::const_buffer>& buffers) noexcept {
    std::size_t moved = 0;
    while (!buffers.empty()) {
        if (buffers.front().size() == 0) {
            buffers = buffers.subspan(1);
            continue;
        }
        const auto sent = send(socket_.get(), buffers);
        if (sent >= 0) {
            const auto count = static_cast<std::size_t>(sent);
            moved += count;
            written_ += count;
            advance(buffers, count);
        } else if (errno == EAGAIN) {
            return {State::would_block, moved, 0};
        } else if (errno != EINTR) {
            return {State::failed, moved, errno};
        }
    }
    return {State::moved, moved, 0};
}

void Stream::send_now() {
    if (sends_later_) {
        loop_.poller().send_now();
    }
}

void Stream::on_sent(std::span<const char> bytes, int result) {
    sends_later_ = false;
    const auto sent = static_cast<std::size_t>(std::max(result, 0));
    if (sent == bytes.size()) {
        return;
    }
    if (result < 0 && result != -EAGAIN) {
        send_error_ = static_cast<std::int16_t>(-result);
        peer_closed_ = true;
        loop_.poller().again(*this);
        return;
    }
    const auto left = bytes.subspan(sent);
    unsent_ = std::make_unique<std::string>(left.data(), left.size());
    loop_.poller().want_output(socket_.get(), *this, true);
}

/// True when none is left. Where it fails, send_error_ says why.
bool Stream::send_unsent() noexcept {
    std::array<asio::const_buffer, 1> pieces{asio::buffer(*unsent_)};
    std::span<asio::const_buffer> left(pieces);
    const auto sent = write_now(left);
    written_ -= sent.count;  // counted when they were taken
    if (sent.state == State::would_block) {
        unsent_->erase(0, sent.count);
        return false;
    }
    if (sent.state == State::failed) {
        send_error_ = static_cast<std::int16_t>(sent.error);
        peer_closed_ = true;
    }
    unsent_.reset();
    return true;
}

void Stream::wait_for_output() {
    if (!std::exchange(waits_for_output_, true)) {
        loop_.poller().want_output(socket_.get(), *this, true);
    }
}

/// With TLS the socket sends more than was written: there, what the peer has acknowledged so far.
std::uint64_t Stream::mark() const noexcept {
    return tls_ ? acknowledged(socket_.get()).value_or(0) : written_;
}

bool Stream::peer_took_nothing(std::uint64_t before, int error) const noexcept {
    int family = AF_UNIX;
    socklen_t size = sizeof(family);
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
    if (family == AF_UNIX) {
        if (error == ECONNRESET || error == EPIPE) {
            return true;
        }
        // A peer that has shut down and not closed yet leaves them in the socket. When it closes
        // then, they are thrown away, and before that it is noted that there were any.
        int unread = 0;
        int late_error = 0;
        size = sizeof(late_error);
        return (::ioctl(socket_.get(), SIOCOUTQ, &unread) == 0 && unread > 0) ||
               (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &late_error, &size) == 0 &&
                late_error == ECONNRESET);
    }
    if (error == ECONNRESET) {
        return false;  // it may have read all: nobody says so before a moment has passed
    }
    const auto now = acknowledged(socket_.get());
    return now && *now <= before;
}

std::pair<UniqueFd, std::unique_ptr<TlsSession>> Stream::release() noexcept {
    send_now();
    assert(!unsent_);
    set_low_water(1);  // the next owner knows of none
    loop_.poller().remove(socket_.get(), *this);
    auto released = std::pair(std::move(socket_), std::move(tls_));
    close();
    return released;
}

void Stream::close() noexcept {
    if (socket_) {
        send_now();
        if (tls_) {
            tls_->say_end();
            tls_.reset();
        }
        loop_.poller().remove(socket_.get(), *this);
        socket_.reset();
    }
    clear_deadline();
    forget_received();
    unsent_.reset();
    readable_ = false;
    peer_closed_ = true;
}

void Stream::abort() noexcept {
    tls_.reset();  // without a word: what came before is not all
    if (socket_) {
        const linger reset{1, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    close();
}

void Stream::hang_up() noexcept {
    if (socket_) {
        ::shutdown(socket_.get(), SHUT_RDWR);
    }
    peer_closed_ = true;
}

void Stream::shutdown_send() noexcept {
    send_now();
    if (tls_) {
        tls_->say_end();
    }
    if (socket_) {
        ::shutdown(socket_.get(), SHUT_WR);
    }
}

}  // namespace routerd
