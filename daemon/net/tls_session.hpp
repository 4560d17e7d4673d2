#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "daemon/net/stream.hpp"

struct ssl_st;

namespace routerd {

/// The TLS of one connection, between a Stream and its socket. The handshake is part of reading; of
/// a connection that we made it must be over before anything is written. Owned by its Stream, which
/// tells it nothing of readiness but asks may_have_more() and reading_wants_output(). Loop thread
/// only.
class TlsSession final {
  public:
    struct Free {
        void operator()(ssl_st* ssl) const noexcept;
    };
    using Ssl = std::unique_ptr<ssl_st, Free>;

    /// Takes the server's side of a connection that nothing was read from. nullptr where the memory
    /// for it is not there.
    static std::unique_ptr<TlsSession> accept(Ssl ssl, int socket) noexcept;

    /// The client's side of a connection that was just made, as accept().
    static std::unique_ptr<TlsSession> connect(Ssl ssl, int socket) noexcept;

    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;
    ~TlsSession() = default;

    /// As Stream::read(). Where the peer is known to have closed, all is read that it sent before.
    Stream::Outcome read(std::span<char> room, bool peer_closed) noexcept;

    /// As Stream::write(): pieces are joined, so that a head and a short body are one record. After
    /// would_block it must be called with the same bytes in front.
    Stream::Outcome write(std::span<asio::const_buffer>& buffers) noexcept;

    /// Goes on with the handshake: moved when it is over.
    Stream::Outcome shake_hands() noexcept;

    /// Why the handshake failed, for people: "certificate has expired".
    std::string_view fault() const noexcept { return fault_; }

    /// The handshake failed because the peer speaks HTTP without TLS; the front of what it said is
    /// lost.
    bool was_met_with_http() const noexcept { return met_with_http_; }

    /// After a read that moved something: another may, too.
    bool may_have_more() const noexcept;

    /// After a read that would block: it goes on when the socket takes output.
    bool reading_wants_output() const noexcept { return reading_wants_output_; }

    /// Tells the peer that what was sent is all, so that it knows it from a broken connection.
    void say_end() noexcept;

  private:
    friend struct TlsSocket;  // the way from OpenSSL to the socket

    TlsSession(Ssl ssl, int socket) noexcept : ssl_(std::move(ssl)), socket_(socket) {}
    static std::unique_ptr<TlsSession> make(Ssl ssl, int socket) noexcept;
    bool wants_output(int result) const noexcept;
    Stream::Outcome explain(int result) noexcept;

    Ssl ssl_;
    int socket_;
    int error_ = 0;                      // errno of the socket; it is of no more use
    bool peer_closed_ = false;           // known to the stream
    bool drained_ = false;               // the socket has given all, as far as is known
    bool reading_wants_output_ = false;  // a read has something to send first
    bool broken_ = false;
    bool met_with_http_ = false;
    const char* fault_ = "it was closed";
    std::size_t stuck_ = 0;  // bytes of a record that OpenSSL has made and the socket has not taken
};

}  // namespace routerd
