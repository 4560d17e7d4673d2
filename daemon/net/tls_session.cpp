#include "daemon/net/tls_session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include "common/base/log.hpp"
#include "daemon/net/pieces.hpp"

namespace routerd {
namespace {

using State = Stream::Outcome::State;

constexpr std::size_t record_size = SSL3_RT_MAX_PLAIN_LENGTH;

/// What the next record holds: in place where the first piece fills it or is the only one, else
/// joined in a place that is good until the next call.
asio::const_buffer next_record(std::span<const asio::const_buffer> buffers) noexcept {
    static thread_local std::array<char, record_size> joined;
    if (buffers.size() == 1 || buffers.front().size() >= record_size) {
        return asio::buffer(buffers.front(), record_size);
    }
    std::size_t size = 0;
    for (const auto& buffer : buffers) {
        const auto part = std::min(buffer.size(), joined.size() - size);
        if (part > 0) {
            std::memcpy(joined.data() + size, buffer.data(), part);
        }
        size += part;
    }
    return {joined.data(), size};
}

}  // namespace

/// A BIO on the socket that notes whether the socket was emptied. OpenSSL's own cannot, and sends
/// without MSG_NOSIGNAL.
struct TlsSocket {
    static int receive(BIO* bio, char* to, std::size_t room, std::size_t* got) noexcept {
        auto& session = *static_cast<TlsSession*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (session.drained_) {
            BIO_set_retry_read(bio);
            return -1;
        }
        ssize_t count = 0;
        do {
            count = ::recv(session.socket_, to, room, MSG_DONTWAIT);
        } while (count < 0 && errno == EINTR);
        if (count > 0) {
            *got = static_cast<std::size_t>(count);
            session.drained_ = *got < room && !session.peer_closed_;
            return 1;
        }
        if (count == 0) {
            BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
            return 0;
        }
        if (errno == EAGAIN) {
            session.drained_ = true;
            BIO_set_retry_read(bio);
        } else {
            session.error_ = errno;
        }
        return -1;
    }

    static int transmit(BIO* bio, const char* from, std::size_t size, std::size_t* sent) noexcept {
        auto& session = *static_cast<TlsSession*>(BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        ssize_t count = 0;
        do {
            count = ::send(session.socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        } while (count < 0 && errno == EINTR);
        if (count >= 0) {
            *sent = static_cast<std::size_t>(count);
            return 1;
        }
        if (errno == EAGAIN) {
            BIO_set_retry_write(bio);
        } else {
            session.error_ = errno;
        }
        return -1;
    }

    static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) noexcept {
        if (command == BIO_CTRL_EOF) {
            return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
        }
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static BIO* make(TlsSession& session) noexcept {
        static BIO_METHOD* const method = make_method();  // for all, until the process ends
        BIO* bio = method == nullptr ? nullptr : BIO_new(method);
        if (bio != nullptr) {
            BIO_set_data(bio, &session);
            BIO_set_init(bio, 1);
        }
        return bio;
    }

  private:
    static BIO_METHOD* make_method() noexcept {
        auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
        if (method != nullptr) {
            BIO_meth_set_read_ex(method, receive);
            BIO_meth_set_write_ex(method, transmit);
            BIO_meth_set_ctrl(method, control);
        }
        return method;
    }
};

void TlsSession::Free::operator()(ssl_st* ssl) const noexcept {
    SSL_free(ssl);
}

std::unique_ptr<TlsSession> TlsSession::make(Ssl ssl, int socket) noexcept {
    if (ssl == nullptr) {
        return nullptr;
    }
    std::unique_ptr<TlsSession> made(new (std::nothrow) TlsSession(std::move(ssl), socket));
    auto* bio = made == nullptr ? nullptr : TlsSocket::make(*made);
    if (bio == nullptr) {
        return nullptr;
    }
    SSL_set_bio(made->ssl_.get(), bio, bio);
    return made;
}

std::unique_ptr<TlsSession> TlsSession::accept(Ssl ssl, int socket) noexcept {
    auto made = make(std::move(ssl), socket);
    if (made != nullptr) {
        SSL_set_accept_state(made->ssl_.get());
    }
    return made;
}

std::unique_ptr<TlsSession> TlsSession::connect(Ssl ssl, int socket) noexcept {
    auto made = make(std::move(ssl), socket);
    if (made != nullptr) {
        SSL_set_connect_state(made->ssl_.get());
    }
    return made;
}

Stream::Outcome TlsSession::shake_hands() noexcept {
    if (broken_) {
        return {State::failed, 0, error_ != 0 ? error_ : EPROTO};
    }
    drained_ = false;
    const int result = SSL_do_handshake(ssl_.get());
    reading_wants_output_ = wants_output(result);
    return result == 1 ? Stream::Outcome{State::moved, 0, 0} : explain(result);
}

bool TlsSession::wants_output(int result) const noexcept {
    return result != 1 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE;
}

Stream::Outcome TlsSession::explain(int result) noexcept {
    const int why = SSL_get_error(ssl_.get(), result);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        return {State::would_block, 0, 0};
    }
    if (why == SSL_ERROR_ZERO_RETURN) {
        return {State::end, 0, 0};
    }
    broken_ = true;
    const auto error = ERR_peek_error();
    met_with_http_ =
        ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
    const auto* reason = ERR_reason_error_string(error);
    const auto verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK) {
        reason = X509_verify_cert_error_string(verified);
    }
    fault_ = reason != nullptr ? reason : ::strerrordesc_np(error_ != 0 ? error_ : EPROTO);
    spdlog::debug("TLS: {}", fault_);
    ERR_clear_error();  // or the next connection's calls would find it
    return {State::failed, 0, error_ != 0 ? error_ : EPROTO};
}

Stream::Outcome TlsSession::read(std::span<char> room, bool peer_closed) noexcept {
    if (broken_) {
        return {State::failed, 0, error_ != 0 ? error_ : EPROTO};
    }
    peer_closed_ = peer_closed;
    drained_ = false;
    std::size_t moved = 0;
    while (moved < room.size()) {
        std::size_t got = 0;
        const int result = SSL_read_ex(ssl_.get(), room.data() + moved, room.size() - moved, &got);
        reading_wants_output_ = wants_output(result);
        if (result != 1) {
            const auto outcome = explain(result);  // which is told again next time
            return moved == 0 ? outcome : Stream::Outcome{State::moved, moved, 0};
        }
        moved += got;
        if (!may_have_more()) {
            break;
        }
    }
    return {State::moved, moved, 0};
}

bool TlsSession::may_have_more() const noexcept {
    const bool ended = (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    return !drained_ || broken_ || ended || SSL_has_pending(ssl_.get()) == 1;
}

Stream::Outcome TlsSession::write(std::span<asio::const_buffer>& buffers) noexcept {
    const bool is_ready = !broken_ && SSL_is_init_finished(ssl_.get()) == 1;
    if (!is_ready || stuck_ > size_of(buffers)) {
        return {State::failed, 0, error_ != 0 ? error_ : EPROTO};
    }
    std::size_t moved = 0;
    while (!buffers.empty()) {
        if (buffers.front().size() == 0) {
            buffers = buffers.subspan(1);
            continue;
        }
        const auto record = next_record(buffers);
        // Of a record that is stuck OpenSSL looks at the size alone.
        const auto size = stuck_ > 0 ? stuck_ : record.size();
        std::size_t sent = 0;
        const int result = SSL_write_ex(ssl_.get(), record.data(), size, &sent);
        if (result != 1) {
            auto outcome = explain(result);
            stuck_ = size;
            outcome.count = moved;
            return outcome;
        }
        stuck_ = 0;
        moved += sent;
        advance(buffers, sent);
    }
    return {State::moved, moved, 0};
}

void TlsSession::say_end() noexcept {
    const bool may = !broken_ && stuck_ == 0 && SSL_is_init_finished(ssl_.get()) == 1;
    if (may && (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) {
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
}

}  // namespace routerd
