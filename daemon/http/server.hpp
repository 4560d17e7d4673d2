#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/config/schema.hpp"
#include "daemon/http/request_reader.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/net/io_loop.hpp"
#include "daemon/net/listener.hpp"
#include "daemon/net/shared_count.hpp"
#include "daemon/net/task_group.hpp"
#include "daemon/net/tls_context.hpp"

namespace routerd {

/// May this request be answered? Asked when its head is there and before its body is read. `route`
/// is nullptr for a path that does not exist. Errors: invalid_api_key, forbidden.
using Authorize =
    std::function<Result<Caller>(const http::RequestHead& head, const Route* route, Scheme scheme)>;

/// Accepts connections and serves each in a coroutine of its own: read a head, authorize, read the
/// body, call the route's handler, again. Loop thread only.
class Server {
  public:
    struct Options {
        HttpConfig http;
        Authorize authorize;  ///< for public listeners; the control socket's user may do everything
        /// Where a connection is served that was just accepted on a public listener: true: by
        /// another loop, which has taken it. Empty: here.
        std::function<bool(Arrival&)> place;
        /// Takes a connection whose request is for a route without a handler: for another loop.
        std::function<void(Arrival)> pass_on;
    };

    Server(IoLoop& loop, const Routes& routes, Options options);

    /// Takes over a listener and serves what it accepts.
    void listen(Listener listener, bool is_control);

    /// Accepts no more at the listener that was asked for this address; who has connected there
    /// stays. Nothing happens where there is none.
    void stop_listening(const ListenAddress& asked, bool is_control);

    /// Serves a connection that somebody else accepted.
    void serve(Arrival arrival);

    /// The same, here or on another loop, as if it had come to a listener.
    void take(Arrival arrival);

    /// Who may come in, from the next request on.
    void use(Authorize authorize) { options_.authorize = std::move(authorize); }

    /// Limits of size and time, from the next wait on, and how the loop reads and writes.
    void use(const HttpConfig& http) {
        options_.http = http;
        loop_.poller().join(http.io_uring);
    }

    /// The certificate of listeners with TLS, from the next connection on; before the first of them
    /// listens.
    void use(TlsContext tls) { tls_ = std::move(tls); }

    /// Where it listens, as URLs ("https://127.0.0.1:8080", "unix:///run/…"), control socket first.
    std::vector<std::string> addresses() const;

    std::size_t connections() const noexcept { return begun_ - ended_.get(); }
    /// Requests being answered now. Any thread.
    std::size_t active() const noexcept { return active_.get(); }
    /// Connections that it serves no more. Any thread.
    std::size_t ended() const noexcept { return ended_.get(); }

    /// Stops accepting; connections without a request are closed, the others when they have
    /// answered.
    void drain();

    /// Gives up its listeners, which go on listening for another process.
    std::vector<HandedOver> release_listeners();

    /// From now on each connection goes to `successor`, another process, as it is: between two
    /// requests, or with a request of which no more than the head was taken. What a model answers
    /// is answered to its end. With TLS a connection cannot be passed on: it is closed where it
    /// waits for a request, and after its answer.
    void hand_over(std::function<void(Arrival)> successor);

    /// Cuts all connections that are being answered, and ends the others.
    void cut();

    /// Cuts those whose request the daemon itself answers, no model; `spared`: not this one, where
    /// it is not nullptr.
    void cut_own(const Connection* spared);
    /// How many they are.
    std::size_t active_own(const Connection* spared) const;

    /// Returns when every connection is gone.
    asio::awaitable<void> wait();

    ~Server();

  private:
    struct Bound {
        Listener listener;
        bool is_control;
    };
    struct Served;
    struct Registration;
    /// What comes next for a request whose head is there.
    enum class Step { handle, read_body, pass_on, refuse, done };

    asio::awaitable<void> keep_listening(std::list<Bound>::iterator bound);
    void admit(UniqueFd socket, const Bound& bound);
    asio::awaitable<void> session(Arrival arrival);
    asio::awaitable<bool> serve_one(Connection& connection, Served& served);
    static asio::awaitable<void> make_up_for(Exchange& exchange);
    Step begin_dispatch(Exchange& exchange, Served& served);
    Step after_body(Exchange& exchange, Served& served, RequestReader::Step body);
    asio::awaitable<void> go_on(Exchange& exchange, Served& served, Step step);
    asio::awaitable<void> refuse(Connection& connection, Exchange::Request& request,
                                 Response refusal);
    asio::awaitable<void> ask_for_tls(Connection& connection);
    const Route* find_route(Exchange& exchange, Served& served) const;
    void prepare(Exchange::Request& request) const;
    std::unique_ptr<Served> take_spare();
    static void clean_up(Connection& connection, Served& served);
    bool may_pass(Connection& connection) const {
        return successor_ && !connection.is_tls() && connection.stranger().empty() &&
               connection.has_sent_all();
    }
    bool closes(Connection& connection) const {
        return draining_ || (successor_ && !may_pass(connection));
    }

    IoLoop& loop_;
    const Routes& routes_;
    Options options_;
    std::optional<TlsContext> tls_;
    std::list<Bound> listeners_;
    std::unordered_set<Connection*> connections_;
    std::vector<std::unique_ptr<Served>> spare_;
    std::size_t begun_ = 0;  // sessions
    SharedCount active_;
    SharedCount ended_;
    bool draining_ = false;
    std::function<void(Arrival)> successor_;
    TaskGroup tasks_;
};

}  // namespace routerd
