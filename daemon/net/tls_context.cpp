#include "daemon/net/tls_context.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

constexpr std::size_t largest_file = 1U << 20U;  // bytes

enum class Secrecy { open, secret };

template <auto release>
struct Freed {
    template <class T>
    void operator()(T* held) const noexcept {
        release(held);
    }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

/// Why OpenSSL's last call failed; forgets it.
std::string reason() {
    const auto* text = ERR_reason_error_string(ERR_peek_last_error());
    std::string result = text != nullptr ? text : "out of memory";
    ERR_clear_error();
    return result;
}

/// The bytes of a file in OpenSSL's memory, which it overwrites as it frees it.
Result<Bio> read_file(const std::string& path, Secrecy secrecy) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat found {};
    if (!file || ::fstat(file.get(), &found) != 0) {
        return errno_error("open it", errno);
    }
    if (!S_ISREG(found.st_mode)) {
        return Error(Errc::invalid_request, "it is not a regular file");
    }
    if (secrecy == Secrecy::secret && (found.st_mode & 0077U) != 0) {
        return Error(Errc::invalid_request, "others than its owner can read it")
            .with_hint("chmod 600 " + shell_quote(path));
    }
    Bio bytes(BIO_new(secrecy == Secrecy::secret ? BIO_s_secmem() : BIO_s_mem()));
    std::array<char, 16U << 10U> piece{};
    std::size_t size = 0;
    for (;;) {
        const auto count = ::read(file.get(), piece.data(), piece.size());
        if (count < 0) {
            return errno_error("read it", errno);
        }
        size += static_cast<std::size_t>(count);
        if (size > largest_file) {
            return Error(Errc::invalid_request, "it is larger than 1 MiB");
        }
        if (count == 0) {
            OPENSSL_cleanse(piece.data(), piece.size());
            return bytes;
        }
        if (BIO_write(bytes.get(), piece.data(), static_cast<int>(count)) != count) {
            return Error(Errc::unavailable, "out of memory");
        }
    }
}

/// OpenSSL's own way of asking is to ask on the terminal.
int no_password(char* /*to*/, int /*room*/, int /*for_writing*/, void* /*pointer*/) {
    return -1;
}

Result<void> use_certificate(SSL_CTX* context, const std::string& path) {
    const auto bytes = read_file(path, Secrecy::open);
    if (!bytes) {
        return bytes.error();
    }
    const Certificate own(PEM_read_bio_X509_AUX(bytes->get(), nullptr, no_password, nullptr));
    if (own == nullptr) {
        return Error(Errc::invalid_request, "there is no certificate in it: " + reason())
            .with_hint("it must be PEM, which begins with -----BEGIN CERTIFICATE-----");
    }
    if (SSL_CTX_use_certificate(context, own.get()) != 1) {
        return Error(Errc::invalid_request, reason());
    }
    for (;;) {
        Certificate next(PEM_read_bio_X509(bytes->get(), nullptr, no_password, nullptr));
        if (next == nullptr) {
            break;
        }
        if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) {
            return Error(Errc::invalid_request, reason());
        }
        static_cast<void>(next.release());  // the context's now
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto why = reason();
    return at_end ? Result<void>()
                  : Error(Errc::invalid_request, "a certificate behind the first: " + why);
}

Result<void> use_key(SSL_CTX* context, const std::string& path) {
    const auto bytes = read_file(path, Secrecy::secret);
    if (!bytes) {
        return bytes.error();
    }
    const Key key(PEM_read_bio_PrivateKey(bytes->get(), nullptr, no_password, nullptr));
    if (key == nullptr) {
        return Error(Errc::invalid_request, "there is no key in it: " + reason())
            .with_hint(
                "it must be PEM, which begins with -----BEGIN PRIVATE KEY-----, and without "
                "a password");
    }
    if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1) {
        ERR_clear_error();
        return Error(Errc::invalid_request, "it is not the key of the certificate");
    }
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
        return Error(Errc::invalid_request, reason());
    }
    return {};
}

/// ALPN: what is not HTTP/1.1 would not understand our answer (RFC 7301 3.2).
int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* /*pointer*/) {
    static constexpr std::string_view ours = "http/1.1";
    for (unsigned at = 0; at < offered_size; at += 1U + offered[at]) {
        const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
        if (name == ours) {
            *chosen = offered + at + 1;
            *size = offered[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_common_manners(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Writes: what waits is held by whoever sends it, and may have moved meanwhile. Buffers: a
    // connection that waits has none.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);  // else each record's head is a system call of its own
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets hold them
}

void set_server_manners(SSL_CTX* context) {
    set_common_manners(context);
    // Many clients close without a word, and every message of HTTP says itself where it ends.
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    constexpr std::array<unsigned char, 7> name{'r', 'o', 'u', 't', 'e', 'r', 'd'};
    SSL_CTX_set_session_id_context(context, name.data(), name.size());
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

/// Of an answer that ends with its connection only the peer's word tells whether it is whole: here
/// an end without it is a failure.
bool set_client_manners(SSL_CTX* context) {
    set_common_manners(context);
    constexpr std::array<unsigned char, 9> offer{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return SSL_CTX_set_alpn_protos(context, offer.data(), offer.size()) == 0 &&
           SSL_CTX_set_default_verify_paths(context) == 1;
}

/// PEM, one certificate or more.
Result<void> trust(SSL_CTX* context, const std::string& path) {
    const auto bytes = read_file(path, Secrecy::open);
    if (!bytes) {
        return bytes.error();
    }
    auto* store = SSL_CTX_get_cert_store(context);
    std::size_t count = 0;
    for (;; ++count) {
        const Certificate next(PEM_read_bio_X509_AUX(bytes->get(), nullptr, no_password, nullptr));
        if (next == nullptr) {
            break;
        }
        if (X509_STORE_add_cert(store, next.get()) != 1) {
            return Error(Errc::invalid_request, reason());
        }
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto why = reason();
    if (count > 0 && at_end) {
        return {};
    }
    return Error(Errc::invalid_request, (count == 0 ? "there is no certificate in it: "
                                                    : "a certificate behind the first: ") +
                                            why)
        .with_hint("it must be PEM, which begins with -----BEGIN CERTIFICATE-----");
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const noexcept {
    SSL_CTX_free(context);
}

Result<TlsContext> TlsContext::load(const std::string& certificate, const std::string& key) {
    Context context(SSL_CTX_new(TLS_server_method()));
    if (context == nullptr) {
        return Error(Errc::unavailable, "set up TLS: " + reason());
    }
    set_server_manners(context.get());
    const auto has_certificate = use_certificate(context.get(), certificate);
    if (!has_certificate) {
        return has_certificate.error().within("use the TLS certificate '" + certificate + "'");
    }
    const auto has_key = use_key(context.get(), key);
    if (!has_key) {
        return has_key.error().within("use the TLS key '" + key + "'");
    }
    return TlsContext(std::move(context));
}

std::unique_ptr<TlsSession> TlsContext::accept(int socket) const noexcept {
    return TlsSession::accept(TlsSession::Ssl(SSL_new(context_.get())), socket);
}

Result<TlsClientContext> TlsClientContext::make(const std::string& ca_file) {
    TlsContext::Context context(SSL_CTX_new(TLS_client_method()));
    if (context == nullptr || !set_client_manners(context.get())) {
        return Error(Errc::unavailable, "set up TLS: " + reason());
    }
    ERR_clear_error();  // of files that the system's store does not have
    if (!ca_file.empty()) {
        const auto trusted = trust(context.get(), ca_file);
        if (!trusted) {
            return trusted.error().within("use the certificates '" + ca_file + "'");
        }
    }
    return TlsClientContext(std::move(context));
}

std::unique_ptr<TlsSession> TlsClientContext::connect(int socket,
                                                      const std::string& host) const noexcept {
    TlsSession::Ssl ssl(SSL_new(context_.get()));
    if (ssl == nullptr) {
        return nullptr;
    }
    auto* checks = SSL_get0_param(ssl.get());
    X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str()) == 1;
    // An address has no place in the handshake (RFC 6066 3). What is called is what
    // SSL_set_tlsext_host_name() is; it copies the name.
    const bool is_set =
        is_address || (SSL_set1_host(ssl.get(), host.c_str()) == 1 &&
                       SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                const_cast<char*>(host.c_str())) == 1);
    ERR_clear_error();
    return is_set ? TlsSession::connect(std::move(ssl), socket) : nullptr;
}

}  // namespace routerd
