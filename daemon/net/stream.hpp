#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <sys/types.h>

#include "common/base/unique_fd.hpp"
#include "daemon/net/deadlines.hpp"
#include "daemon/net/io_loop.hpp"
#include "daemon/net/poller.hpp"

namespace routerd {

class TlsSession;

/// A connected socket, TCP or Unix, with or without TLS, that never blocks: its owner reads and
/// writes when it likes and is told when there is a point in it. Loop thread only.
class Stream final : private Poller::Watched, private Expiring {
  public:
    /// Who is told. Each of these may destroy the stream.
    class Owner {
      public:
        /// There may be something to read, or the peer closed (see peer_closed()).
        virtual void on_readable() = 0;
        /// After wait_for_output(): it takes output again.
        virtual void on_writable() = 0;
        /// The deadline has passed; the stream is as it was.
        virtual void on_expired() = 0;

      protected:
        ~Owner() = default;
    };

    /// What a read or a write came to.
    struct Outcome {
        enum class State {
            moved,        ///< `count` bytes were moved
            would_block,  ///< not now; `count` bytes were moved before
            end,          ///< read: the peer's orderly end
            failed,       ///< `error` says why
        };
        State state = State::moved;
        std::size_t count = 0;
        int error = 0;  ///< errno
    };

    Stream(UniqueFd socket, IoLoop& loop, Owner& owner);
    /// With TLS, unless `tls` is nullptr; on the client's side shake_hands() comes first.
    Stream(UniqueFd socket, IoLoop& loop, Owner& owner, std::unique_ptr<TlsSession> tls);
    ~Stream() override;

    /// Reads what is there. While readable() there may be more; else on_readable() will tell of it.
    Outcome read(std::span<char> room) noexcept;

    /// The same of what the loop has received for it already, without a copy: it stays until the
    /// turn ends. Empty: there is no such, ask read().
    std::string_view read_early() noexcept;

    /// Goes on with the handshake of a TLS connection that we made, until it has moved; would_block
    /// goes on with on_readable() or on_writable(). `failed` and `end`: tls_fault() says why.
    Outcome shake_hands() noexcept;
    std::string_view tls_fault() const noexcept;

    bool is_encrypted() const noexcept { return tls_ != nullptr; }

    /// After a read that failed because the peer speaks HTTP where TLS is spoken: goes on without
    /// TLS, to tell it so. The front of what it said is lost. False: that is not why.
    bool drop_tls() noexcept;

    /// Sends as much of `buffers` as the socket takes, and advances them. What is left must be what
    /// the next call begins with. In a turn of many events a few kilobytes are taken at once and
    /// sent before it ends; what the socket did not take then is has_unsent(), and a failure is
    /// that of the next read that finds nothing more.
    Outcome write(std::span<asio::const_buffer>& buffers) noexcept;

    /// The same of what shutdown_send() follows at once when all of it is taken: over TCP the end
    /// goes into its last packet, which waits for it.
    Outcome write_last(std::span<asio::const_buffer>& buffers) noexcept;

    /// write() of a Unix socket, whose peer reads what is large where it is: pieces of
    /// Lender::least bytes and more must not change before took_all(), whatever becomes of this.
    Outcome lend(std::span<asio::const_buffer>& buffers) noexcept;

    /// The peer of a Unix socket has read all that was sent to it.
    bool took_all() const noexcept;

    /// A read may give something: nothing is known to the contrary.
    bool readable() const noexcept { return readable_; }

    /// See Poller::Watched::is_new(); at first it is not.
    void set_new(bool is_new) noexcept { is_new_ = is_new; }

    /// Whether on_readable() may come Poller::rarely late, and after that of others; not at first.
    void listen_rarely(bool wanted);

    /// on_readable() is not told of fewer than `bytes` bytes, unless it is of an end; 1 at first. A
    /// read gives what there is all the same. Only a TCP socket without TLS can hold back so; as
    /// long as it does, other streams are told before it.
    void set_low_water(std::size_t bytes) noexcept;

    /// write() took bytes that the socket has not: nothing else can be written before they are
    /// gone, nor may it be released. close() loses them.
    bool has_unsent() const noexcept { return unsent_ != nullptr; }

    /// Sends what write() took and the turn's end would send, as far as the socket takes it.
    void send_now();

    /// There may be bytes that set_low_water() holds back.
    bool holds_back() const noexcept { return low_water_ > 1; }

    /// The peer has ended its side, or the connection is broken. What it sent before may still be
    /// unread.
    bool peer_closed() const noexcept { return peer_closed_; }

    /// After a write that would block: on_writable() once.
    void wait_for_output();

    /// on_readable() with the loop's next turn.
    void read_again() { loop_.poller().again(*this); }

    bool is_open() const noexcept { return static_cast<bool>(socket_); }
    int native_handle() const noexcept { return socket_.get(); }
    IoLoop& loop() const noexcept { return loop_; }

    /// Before something is written: what peer_took_nothing() is asked with afterwards.
    std::uint64_t mark() const noexcept;

    /// Whether the peer is known not to have received anything that was written after mark() gave
    /// `before`; asked when the connection turned out to be broken with `error`, or 0 when it just
    /// ended. A Unix socket says so by ECONNRESET (the peer closed with our bytes unread) or by
    /// what lies in it, TCP by what was acknowledged, unless it is a reset: that acknowledges
    /// nothing, and the kernel delays to do so for what the peer has read.
    bool peer_took_nothing(std::uint64_t before, int error) const noexcept;

    /// What the loop has received and nobody has read, for one that is about to be released.
    std::string take_received();

    /// Lets go of the socket and its TLS, for another loop: as they are, not closed. What was read
    /// or received is the caller's to pass on.
    std::pair<UniqueFd, std::unique_ptr<TlsSession>> release() noexcept;

    /// Closes. The peer sees an orderly end unless it has unread data.
    void close() noexcept;

    /// Closes so that the peer sees a reset: what came before was not the end of an answer.
    void abort() noexcept;

    /// Tells the peer that nothing more is wanted, by the cheapest way there is; close() follows
    /// when there is time for it.
    void hang_up() noexcept;

    /// Orderly end of our side; what the peer still sends can be read.
    void shutdown_send() noexcept;

    using Expiring::clear_deadline;
    using Expiring::set_deadline;

  private:
    static constexpr std::int16_t nothing = INT16_MIN;

    void on_io(unsigned events) override;
    bool may_wait() const noexcept override { return is_rare_ || holds_back(); }
    bool is_new() const noexcept override { return is_new_; }
    int wants_input_early() const noexcept override;
    void on_input(std::uint8_t place, int result) noexcept override;
    void on_told() override;
    void on_sent(std::span<const char> bytes, int result) override;
    std::optional<Outcome> hindrance() noexcept;
    template <class Send>
    Outcome write_by(const Send& send, std::span<asio::const_buffer>& buffers) noexcept;
    Outcome write_now(std::span<asio::const_buffer>& buffers) noexcept;
    bool send_unsent() noexcept;
    std::string_view received() const noexcept;
    void forget_received() noexcept;
    Outcome read_received(std::span<char> room) noexcept;
    Outcome outcome_of(ssize_t count, int error, std::size_t room) noexcept;
    void on_deadline() override { owner_.on_expired(); }
    Outcome read_tls(std::span<char> room) noexcept;

    IoLoop& loop_;
    Owner& owner_;
    UniqueFd socket_;
    std::unique_ptr<TlsSession> tls_;  // nullptr: none
    std::uint64_t written_ = 0;        // bytes, without TLS
    std::unique_ptr<std::string> unsent_;
    // What the loop received: bytes that lie at its `place`, or with us where they stay longer, or
    // what else came of it.
    std::unique_ptr<char[]> kept_;
    std::int16_t received_ = nothing;  // bytes not read yet, or as of recv()
    std::uint16_t received_at_ = 0;    // of them the first
    std::uint8_t place_ = 0;
    bool more_behind_ = false;  // there may be more in the socket
    bool reads_much_ = false;   // more at once than the loop would receive for it
    bool sends_later_ = false;  // the loop has bytes of it
    bool readable_ = false;
    bool peer_closed_ = false;
    bool waits_for_output_ = false;
    bool is_new_ = false;
    bool is_rare_ = false;
    std::int16_t send_error_ = 0;  // errno of a send that write() had promised
    std::uint16_t low_water_ = 1;
};

}  // namespace routerd
