#pragma once

#include <climits>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "common/base/result.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/net/io_loop.hpp"
#include "daemon/net/listen_address.hpp"
#include "daemon/net/wakeup.hpp"

namespace routerd {

/// A listening socket that another process opened.
struct HandedOver {
    UniqueFd socket;
    ListenAddress address;   ///< `tls` where its name is "https"
    std::string name;        ///< FileDescriptorName= of its unit; empty for a routerd's own
    ListenAddress asked;     ///< as Listener::asked(); of a routerd's own only
    bool owns_file = false;  ///< the file of the Unix socket is ours to remove
};

/// Those that this process was started with, as sd_listen_fds(3) says: descriptors from 3 on, told
/// of by $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES. The variables are taken out of the
/// environment and the sockets are closed on exec, so nobody we start has them. None where the
/// variables are another process's. Before there are threads. Errors: invalid_request, for what is
/// no listening stream socket.
Result<std::vector<HandedOver>> take_handed_over();

/// Accepts connections on one address and hands each to a callback. The file of a Unix socket that
/// it owns is removed when it closes. Loop thread only.
class Listener {
  public:
    using OnAccept = std::function<void(UniqueFd)>;

    /// Binds and listens. A stale Unix socket file is replaced, one that answers is not. Errors:
    /// unavailable, naming the address and, for a port that is taken, what to do.
    static Result<Listener> open(IoLoop& loop, ListenAddress address);

    /// Accepts on a socket that another opened.
    static Listener adopt(IoLoop& loop, HandedOver handed);

    Listener(Listener&&) noexcept;
    Listener& operator=(Listener&&) = delete;
    ~Listener();

    /// With the port that the kernel chose, where 0 was asked for.
    const ListenAddress& address() const noexcept { return address_; }

    /// As it was given to open().
    const ListenAddress& asked() const noexcept { return asked_; }

    /// Accepts until close(); the sockets do not block. Out of descriptors or memory it pauses
    /// instead of spinning. The listener stays where it is meanwhile.
    asio::awaitable<void> run(OnAccept on_accept);

    /// From now on it pauses already where fewer than `count` descriptors are left (an eighth of
    /// all, if that is less): they are for what is done for those who came before.
    void leave_descriptors(int count) noexcept;

    /// Stops accepting; run() returns.
    void close() noexcept;

    /// The same, when those were accepted who have connected already.
    void retire();

    /// Stops accepting and gives the socket up, which listens on: who connects waits for another
    /// process to accept. Once.
    HandedOver release() noexcept;

  private:
    /// Wakes run(). On its own, as it must not move while it is watched.
    struct Door final : Poller::Watched {
        void on_io(unsigned /*events*/) override {
            called = true;
            caller.resume();
        }
        bool is_new() const noexcept override { return true; }
        Wakeup caller;
        bool called = false;   ///< since the last look
        bool watched = false;  ///< the poller knows it
    };

    enum class Came { all, some, nothing };  ///< nothing: out of descriptors or memory
    Listener(IoLoop& loop, HandedOver handed);
    Came accept_one(const OnAccept& on_accept);
    Came accept_some(const OnAccept& on_accept);
    bool has_room();
    Came pause_for(const char* why);
    UniqueFd take_socket() noexcept;

    IoLoop* loop_;
    UniqueFd socket_;
    std::unique_ptr<Door> door_;
    asio::steady_timer pause_;
    ListenAddress address_;
    ListenAddress asked_;
    std::string name_;
    bool owns_file_;
    bool retires_ = false;
    int last_descriptor_ = INT_MAX;  // the kernel gives the lowest that is free
    bool is_short_ = false;          // of descriptors or memory
};

}  // namespace routerd
