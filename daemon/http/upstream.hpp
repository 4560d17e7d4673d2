#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>

#include "common/base/result.hpp"
#include "daemon/net/name_book.hpp"
#include "daemon/net/remote_address.hpp"
#include "daemon/net/stream.hpp"
#include "daemon/net/tls_session.hpp"
#include "daemon/net/wakeup.hpp"

namespace routerd {

class UpstreamPool;

/// One connection to a model's server. Used by one request at a time; between two of them the
/// pool's, which drops it as soon as the server closes it or sends what nobody asked for, and when
/// it was not used for some seconds.
class Upstream final : private Stream::Owner {
  public:
    /// The request that uses it. Each of these may destroy the connection.
    class User {
      public:
        virtual void on_upstream_readable() = 0;
        virtual void on_upstream_writable() = 0;
        virtual void on_upstream_expired() = 0;

      protected:
        ~User() = default;
    };

    Upstream(UniqueFd socket, IoLoop& loop, std::unique_ptr<TlsSession> tls = nullptr)
        : stream_(std::move(socket), loop, *this, std::move(tls)) {}

    /// nullptr: nobody, what happens is noticed later.
    void set_user(User* user) noexcept { user_ = user; }

    Stream& stream() noexcept { return stream_; }

    /// Before so many bytes are sent: lets a local server's socket take them at once, as far as
    /// the system allows. Else each part that it takes is a turn of ours and one of the server's.
    void make_room(std::size_t bytes) noexcept;

    /// Its server is elsewhere, and not ours.
    bool is_remote() const noexcept { return remote_; }

    /// It is reached by a Unix socket: its server may read a body where it is (Stream::lend()).
    bool may_borrow() const noexcept { return may_borrow_; }

    /// It has served a request before: the server may have closed it meanwhile.
    bool is_reused() const noexcept { return reused_; }

  private:
    friend class UpstreamPool;
    void on_readable() override;
    void on_writable() override;
    void on_expired() override;
    bool says_nothing() noexcept;

    Stream stream_;
    User* user_ = nullptr;
    UpstreamPool* keeper_ = nullptr;  // while it is kept for another request
    std::uint64_t instance_ = 0;
    bool remote_ = false;
    bool may_borrow_ = false;
    bool reused_ = false;
    std::size_t room_ = 0;  // bytes, as make_room() was asked for; 0: as the system gives it
    TimePoint idle_until_;  // not used for a request any more after it
    Wakeup connected_;      // it, or its TLS
};

/// Kept connections to the servers, by instance. Loop thread only.
class UpstreamPool {
  public:
    /// `lookup`: how names of servers elsewhere are found.
    explicit UpstreamPool(IoLoop& loop, NameBook::Lookup lookup = NameBook::ask_system)
        : loop_(loop), names_(loop.executor(), std::move(lookup)) {}

    using Endpoint = asio::generic::stream_protocol::endpoint;

    /// A kept connection that is alive as far as is known, or nullptr.
    std::unique_ptr<Upstream> take_idle(std::uint64_t instance);

    /// A new one, where that takes no waiting: to a Unix socket whose server keeps up. nullptr: ask
    /// connect(), which waits, or says what is wrong.
    std::unique_ptr<Upstream> connect_at_once(const Endpoint& endpoint);

    /// A new one. Errors: unavailable (refused, no such socket).
    asio::awaitable<Result<std::unique_ptr<Upstream>>> connect(Endpoint endpoint);

    /// The same to a server elsewhere: to the first of its addresses that takes it. Where none does
    /// and they were not asked for just now, its name is looked up anew: it may have moved. Errors:
    /// unavailable (the same; or what is wrong with its name or its certificate).
    asio::awaitable<Result<std::unique_ptr<Upstream>>> connect(RemoteAddress remote);

    /// Keeps it for the next request; only after a complete exchange with nothing left over.
    void give_back(std::uint64_t instance, std::unique_ptr<Upstream> upstream);

    /// Closes all kept connections to an instance.
    void drop(std::uint64_t instance);

    /// Closes all: there will be no more requests. A loop with a kept connection does not end.
    void close() { idle_.clear(); }

    static Endpoint unix_endpoint(const std::string& path);
    static Endpoint tcp_endpoint(std::uint16_t port);  ///< on 127.0.0.1

  private:
    friend class Upstream;
    using Connected = Result<std::unique_ptr<Upstream>>;

    void discard(const Upstream& upstream);
    asio::awaitable<Connected> connect_until(Endpoint endpoint, const RemoteAddress* remote,
                                             TimePoint deadline);
    asio::awaitable<Connected> connect_to_one(const NameBook::Addresses& addresses,
                                              const RemoteAddress& remote, TimePoint deadline);
    asio::awaitable<Result<void>> shake_hands(Upstream& upstream, TimePoint deadline);

    IoLoop& loop_;
    NameBook names_;
    std::unordered_map<std::uint64_t, std::vector<std::unique_ptr<Upstream>>> idle_;
};

}  // namespace routerd
