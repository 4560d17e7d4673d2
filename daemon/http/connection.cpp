#include "daemon/http/connection.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <tuple>
#include <utility>

#include "daemon/net/lender.hpp"
#include "daemon/net/pieces.hpp"
#include "daemon/net/tls_session.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

using State = Stream::Outcome::State;

constexpr std::chrono::seconds linger(10);       // for what a client sends after its end
constexpr std::chrono::seconds linger_quiet(2);  // the same, without a word
constexpr std::uint64_t thrown_away = 4096;      // bytes of it that a trickle is not read below
constexpr std::chrono::seconds last_words(10);   // until a client has taken the end of an answer
constexpr std::size_t tiny = 64;                 // bytes of a read
constexpr int trickle = 2;                       // tiny reads in a row
constexpr std::size_t read_at_once = 1U << 20U;  // bytes; then others have their turn
// Bytes of a request that are read by one call, if the client's last one was such. One that is
// larger has to be moved when its length is known, which costs more the more was read before.
constexpr std::size_t much = Lender::least;
constexpr std::size_t most_at_first = 60U << 10U;  // there is room for them where `much` fits

Error client_left() {
    return {Errc::cancelled, "the client left"};
}

}  // namespace

Connection::Connection(Arrival arrival, IoLoop& loop)
    : is_control_(arrival.is_control),
      stranger_(std::move(arrival.stranger)),
      is_tls_(arrival.tls != nullptr),
      stream_(std::move(arrival.socket), loop, *this, std::move(arrival.tls)) {
    stream_.set_new(true);
    if (!arrival.input.empty()) {
        reserve(arrival.input.size());
        std::memcpy(memory_.data(), arrival.input.data(), arrival.input.size());
        end_ = arrival.input.size();
    }
}

Connection::~Connection() {
    memory_.give_back(stream_.loop());
}

Arrival Connection::release(std::string_view head) {
    Arrival arrival;
    arrival.is_control = is_control_;
    arrival.stranger = stranger_;
    arrival.input = std::string(head).append(input()).append(stream_.take_received());
    std::tie(arrival.socket, arrival.tls) = stream_.release();
    gone_ = true;
    return arrival;
}

Arrival Connection::give_up() {
    auto arrival = release("");
    reader_.resume();
    return arrival;
}

std::string_view Connection::input() const noexcept {
    return {memory_.data() + begin_, end_ - begin_};
}

std::string_view Connection::join(std::string_view front, std::string_view part) noexcept {
    return part.data() == input().data() ? memory_.join(front, part) : std::string_view();
}

void Connection::consume(std::size_t count) noexcept {
    begin_ += count;
}

void Connection::release(std::size_t count) noexcept {
    begin_ = end_ - count;
    if (count == 0) {
        if (end_ > 0) {
            asked_much_ = end_ >= much && end_ <= most_at_first;
        }
        memory_.give_back(stream_.loop());
        begin_ = end_ = 0;
    }
}

void Connection::truncate(std::size_t count) noexcept {
    end_ = begin_ + count;
}

void Connection::reserve(std::size_t whole) {
    if (begin_ + whole <= memory_.capacity()) {
        return;
    }
    const auto held = input();
    if (whole <= memory_.capacity() && !memory_.is_lent()) {
        std::memmove(memory_.data(), held.data(), held.size());
    } else {
        InputMemory larger(stream_.loop(), whole);
        if (!held.empty()) {
            std::memcpy(larger.data(), held.data(), held.size());
        }
        memory_.give_back(stream_.loop());
        memory_ = std::move(larger);
    }
    begin_ = 0;
    end_ = held.size();
}

/// True when something came.
bool Connection::read_now() {
    if (end_ == memory_.capacity()) {
        const auto held = end_ - begin_;
        const auto least = asked_much_ ? much : InputMemory::least;
        reserve(held + std::max(least, held));  // doubling: its bytes are moved once on average
    }
    const auto got = stream_.read(std::span(memory_.data() + end_, memory_.capacity() - end_));
    if (got.state == State::moved) {
        tiny_reads_ = got.count > tiny ? 0 : std::min(tiny_reads_ + 1, trickle);
        end_ += got.count;
        read_in_turn_ += got.count;
        return true;
    }
    gone_ = gone_ || got.state != State::would_block;
    return false;
}

/// Says how soon it wants to be told: of what trickles, rarely.
void Connection::listen_for(std::uint64_t useful) {
    const bool trickles = tiny_reads_ == trickle;
    stream_.set_low_water(trickles || useful < tiny ? useful : 1);
    stream_.listen_rarely(trickled_ || trickles);
}

asio::awaitable<Result<void>> Connection::receive(TimePoint deadline, std::uint64_t useful) {
    expired_ = false;
    for (;;) {
        const bool may_read = stream_.readable() || (expired_ && stream_.holds_back());
        if (may_read && read_in_turn_ < read_at_once && read_now()) {
            co_return boost::system::in_place_value;
        }
        if (!stream_.is_open() || (gone_ && !stream_.readable())) {
            co_return client_left();
        }
        if (expired_ || deadline <= turn_now()) {
            co_return Error(Errc::deadline_exceeded, "the client sent nothing in time");
        }
        if (begin_ == end_) {
            release(0);
            tiny_reads_ = 0;
        }
        if (stream_.readable()) {
            stream_.read_again();
        }
        listen_for(useful);
        stream_.set_deadline(deadline);
        co_await reader_.wait();
        stream_.clear_deadline();
        read_in_turn_ = 0;
    }
}

bool Connection::fall_back() noexcept {
    const bool is_plain = stream_.drop_tls();
    gone_ = gone_ && !is_plain;
    return is_plain;
}

bool Connection::has_sent_all() {
    stream_.send_now();
    return !stream_.has_unsent();
}

bool Connection::send_some(std::span<asio::const_buffer>& buffers) noexcept {
    if (!stream_.is_open()) {
        return false;
    }
    const auto sent = will_finish_ ? stream_.write_last(buffers) : stream_.write(buffers);
    return sent.state != State::failed;
}

asio::awaitable<Result<void>> Connection::send(std::span<asio::const_buffer> buffers,
                                               std::chrono::milliseconds patience) {
    expired_ = false;
    for (;;) {
        const auto before = size_of(buffers);
        const bool alive = send_some(buffers);
        if (!alive) {
            co_return client_left();
        }
        if (buffers.empty() && !stream_.has_unsent()) {
            co_return boost::system::in_place_value;
        }
        if (expired_ && size_of(buffers) == before) {
            co_return Error(Errc::deadline_exceeded, "the client did not read in time");
        }
        expired_ = false;
        stream_.wait_for_output();
        stream_.set_deadline(turn_now() + patience);
        co_await writer_.wait();
        stream_.clear_deadline();
    }
}

asio::awaitable<Result<void>> Connection::send(std::string_view bytes,
                                               std::chrono::milliseconds patience) {
    std::array<asio::const_buffer, 1> buffers{asio::buffer(bytes)};
    auto sent = co_await send(std::span<asio::const_buffer>(buffers), patience);
    co_return sent;
}

void Connection::on_readable() {
    gone_ = gone_ || stream_.peer_closed();
    if (reader_.has_sleeper()) {
        return reader_.resume();
    }
    if (gone_) {
        tell_gone();
    }
}

void Connection::on_writable() {
    if (writer_.has_sleeper()) {
        return writer_.resume();
    }
    if (const auto callback = std::exchange(on_writable_, nullptr)) {
        stream_.clear_deadline();
        callback();
    }
}

void Connection::on_expired() {
    expired_ = true;
    if (writer_.has_sleeper()) {
        return writer_.resume();
    }
    if (reader_.has_sleeper()) {
        return reader_.resume();
    }
    abort();  // it did not read, and nobody sleeps who could say so
}

/// What it calls may end the session, and this with it.
void Connection::tell_gone() {
    on_writable_ = nullptr;
    if (const auto callback = std::exchange(on_gone_, nullptr)) {
        callback();
    }
}

void Connection::on_gone(std::function<void()> callback) {
    if (callback && gone_) {
        callback();
        return;
    }
    on_gone_ = std::move(callback);
}

void Connection::on_writable(std::function<void()> callback, TimePoint deadline) {
    if (on_writable_ && !callback) {
        stream_.clear_deadline();
    }
    on_writable_ = std::move(callback);
    if (on_writable_) {
        stream_.wait_for_output();
        stream_.set_deadline(deadline);
    }
}

void Connection::abort() noexcept {
    stream_.abort();
    left_now();
}

void Connection::end() noexcept {
    if (!has_sent_all()) {
        return abort();
    }
    stream_.close();
    left_now();
}

/// Tells whoever waits here that the connection is of no more use.
void Connection::left_now() noexcept {
    gone_ = true;
    if (writer_.has_sleeper()) {
        return writer_.resume();
    }
    if (reader_.has_sleeper()) {
        return reader_.resume();
    }
    tell_gone();
}

asio::awaitable<void> Connection::finish() {
    if (!has_sent_all()) {
        co_await send("", last_words);
    }
    stream_.shutdown_send();
    trickled_ = tiny_reads_ == trickle;
    const auto last = std::chrono::steady_clock::now() + linger;
    for (bool more = true; more;) {
        consume(input().size());
        const auto quiet = std::chrono::steady_clock::now() + linger_quiet;
        const auto received = co_await receive(std::min(quiet, last), thrown_away);
        more = received.has_value() && std::chrono::steady_clock::now() < last;
    }
}

}  // namespace routerd
