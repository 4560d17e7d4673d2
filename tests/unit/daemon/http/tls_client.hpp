#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "daemon/net/net.hpp"

namespace routerd::test {

/// A client with TLS that decides itself in which pieces its bytes go out.
class TlsClient {
  public:
    TlsClient(asio::io_context& loop, std::uint16_t port)
        : socket_(loop), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
        socket_.connect({asio::ip::address_v4::loopback(), port});
        constexpr std::array<unsigned char, 12> protocols{2,   'h', '2', 8,   'h', 't',
                                                          't', 'p', '/', '1', '.', '1'};
        SSL_CTX_set_alpn_protos(context_.get(), protocols.data(), protocols.size());
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl_.get());
    }

    /// All that goes out from now on goes in pieces of `size` bytes.
    void cut_into(std::size_t size) { piece_ = size; }

    SSL* ssl() { return ssl_.get(); }

    /// False when the server did not go through with it.
    asio::awaitable<bool> handshake() {
        for (;;) {
            const int done = SSL_do_handshake(ssl_.get());
            co_await flush();
            if (done == 1) {
                co_return true;
            }
            const bool more = SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ;
            ERR_clear_error();
            if (!more) {
                co_return false;
            }
            const bool came = co_await fill();
            if (!came) {
                co_return false;
            }
        }
    }

    asio::awaitable<void> send(std::string bytes) {
        SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
        co_await flush();
    }

    /// Everything up to and with `end`, or up to the server's close.
    asio::awaitable<std::string> read_until(std::string end) {
        for (;;) {
            const auto at = received_.find(end, searched_);
            if (at != std::string::npos) {
                auto result = received_.substr(0, at + end.size());
                received_.erase(0, at + end.size());
                searched_ = 0;
                co_return result;
            }
            searched_ = received_.size() - std::min(received_.size(), end.size());
            std::array<char, 16384> piece{};
            const int got = SSL_read(ssl_.get(), piece.data(), piece.size());
            if (got > 0) {
                received_.append(piece.data(), static_cast<std::size_t>(got));
                continue;
            }
            const bool more = SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ;
            ERR_clear_error();
            bool came = false;
            if (more) {
                came = co_await fill();
            }
            if (!came) {
                searched_ = 0;
                co_return std::exchange(received_, {});
            }
        }
    }

    asio::awaitable<std::string> read_all() {
        std::string never("\x01never\x01");
        auto all = co_await read_until(never);
        co_return all;
    }

    /// The server has said that what came is all.
    bool ended_well() { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

    /// Whose certificate the server has shown.
    std::string server_name() {
        auto* shown = SSL_get1_peer_certificate(ssl_.get());
        std::array<char, 64> name{};
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name.data(),
                                  name.size());
        X509_free(shown);
        return name.data();
    }

    std::string protocol() {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl_.get(), &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }

    void close() { socket_.close(); }

  private:
    asio::awaitable<void> flush() {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &bytes);
        std::string out(bytes, static_cast<std::size_t>(size));
        BIO_reset(SSL_get_wbio(ssl_.get()));
        for (std::string_view left = out; !left.empty();) {
            const auto piece = left.substr(0, piece_);
            auto [ec, n] = co_await asio::async_write(socket_, asio::buffer(piece), no_throw);
            left.remove_prefix(ec ? left.size() : n);
        }
    }

    asio::awaitable<bool> fill() {
        std::array<char, 16384> piece{};
        auto [ec, n] = co_await socket_.async_read_some(asio::buffer(piece), no_throw);
        BIO_write(SSL_get_rbio(ssl_.get()), piece.data(), static_cast<int>(n));
        co_return !ec;
    }

    asio::ip::tcp::socket socket_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
    std::size_t piece_ = std::string::npos;
    std::string received_;
    std::size_t searched_ = 0;
};

}  // namespace routerd::test
