#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "daemon/net/tls_session.hpp"

struct ssl_ctx_st;

namespace routerd {

/// A certificate with its key, and how we speak TLS: 1.2 and later, HTTP/1.1, session tickets and
/// no sessions kept here. Sessions made from it do not need it any more, so that it can be replaced
/// while they go on.
class TlsContext {
  public:
    /// Reads PEM files; behind the certificate may be those that lead to its authority. Errors:
    /// unavailable (a file cannot be read), invalid_request (what is in it is no use, the key is
    /// another one's, or others than its owner can read it).
    static Result<TlsContext> load(const std::string& certificate, const std::string& key);

    /// The server's side of a connection that was just accepted. nullptr: out of memory.
    std::unique_ptr<TlsSession> accept(int socket) const noexcept;

  private:
    friend class TlsClientContext;
    struct Free {
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    using Context = std::unique_ptr<ssl_ctx_st, Free>;

    explicit TlsContext(Context context) noexcept : context_(std::move(context)) {}

    Context context_;
};

/// How we speak TLS to servers elsewhere: as a TlsContext, and only to those whose certificate says
/// their name and is vouched for. Any thread.
class TlsClientContext {
  public:
    /// Trusts the system's authorities (SSL_CERT_FILE and SSL_CERT_DIR count) and those in
    /// `ca_file`, PEM, unless that is empty. Errors: unavailable, invalid_request (what is in the
    /// file is no use).
    static Result<TlsClientContext> make(const std::string& ca_file);

    /// The client's side of a connection that was just made to `host`, a name or an address without
    /// []. nullptr: out of memory.
    std::unique_ptr<TlsSession> connect(int socket, const std::string& host) const noexcept;

  private:
    explicit TlsClientContext(TlsContext::Context context) noexcept
        : context_(std::move(context)) {}

    TlsContext::Context context_;
};

}  // namespace routerd
