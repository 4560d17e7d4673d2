#include "daemon/http/server.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "common/base/log.hpp"
#include "common/base/log_about.hpp"
#include "common/base/text.hpp"
#include "daemon/http/error_response.hpp"
#include "daemon/http/request_id.hpp"
#include "daemon/net/peer.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

constexpr std::size_t most_spare = 256;
constexpr int kept_descriptors = 128;
constexpr unsigned most_in_turn = 16;  // requests of one connection; then others have their turn

void log_fault(const Exchange::Request& request, const std::exception& fault) {
    const LogAbout about(request.id);
    spdlog::error("{} {}: {}", request.head.method, escaped(request.path), fault.what());
}

/// What the daemon itself answered; a model's answers are accounted for elsewhere.
void log_own(const Exchange& exchange) {
    if (spdlog::should_log(spdlog::level::debug)) {
        const LogAbout about(exchange.id());
        spdlog::debug("{} {} {}", exchange.head().method, escaped(exchange.path()),
                      exchange.status());
    }
}

/// What a path that does not exist, or not with this method, is answered with.
Response no_route(const Exchange::Request& request, const Routes::Match& match) {
    const bool wrong_method = match.path_known;
    const auto what = std::string(request.head.method) + " " + escaped(request.path);
    const Error error(Errc::invalid_request, wrong_method
                                                 ? what + ": this path takes " + match.allow
                                                 : "there is no path " + escaped(request.path));
    auto response = error_response(error, request.dialect);
    response.status = 404;
    if (wrong_method) {
        response.status = 405;
        response.headers.emplace_back("allow", match.allow);
    }
    return response;
}

/// To a request that came too late to be passed on.
Error replaced() {
    return Error(Errc::unavailable, "another routerd has taken over from this one")
        .with_hint("ask again, on a new connection")
        .with_retry_after(std::chrono::seconds(0));
}

}  // namespace

/// What serving a request takes; used again for the next one, of whatever connection.
struct Server::Served {
    explicit Served(const HttpConfig& config) : reader(config) {}
    Exchange::Request request;
    RequestReader reader;
    const Route* route = nullptr;
    std::optional<Response> refusal;
    bool is_elsewhere = false;  ///< another loop answers
};

/// That it knows of a connection, as long as that exists.
struct Server::Registration {
    explicit Registration(Server& in) : server(in) {}
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() {
        server.connections_.erase(connection);
        server.ended_.add(1);
    }

    void know(Connection& of) {
        connection = &of;
        server.connections_.insert(connection);
    }

    Server& server;
    Connection* connection = nullptr;
};

namespace {

/// Who is at the other end of a control connection and may not be; empty when he may. The mode of
/// the socket's file keeps others out already; this holds too where somebody widened it, or where
/// another program opened the socket.
std::string stranger_at(int socket) {
    const auto peer = peer_of(socket);
    if (peer && is_trusted(*peer, ::geteuid(), ::getegid())) {
        return {};
    }
    auto who = peer ? "user " + std::to_string(peer->user) : peer.error().message();
    spdlog::warn("control socket: refused {}", who);
    return who;
}

}  // namespace

Server::Server(IoLoop& loop, const Routes& routes, Options options)
    : loop_(loop),
      routes_(routes),
      options_(std::move(options)),
      tasks_(loop.executor(), "http session") {
    loop_.poller().join(options_.http.io_uring);
}

Server::~Server() = default;

void Server::listen(Listener listener, bool is_control) {
    if (!is_control) {  // whoever runs this can come in though clients have all the rest
        listener.leave_descriptors(kept_descriptors);
    }
    listeners_.push_back(Bound{std::move(listener), is_control});
    tasks_.spawn(keep_listening(std::prev(listeners_.end())));
}

asio::awaitable<void> Server::keep_listening(std::list<Bound>::iterator bound) {
    auto on_accept = [this, bound](UniqueFd socket) { admit(std::move(socket), *bound); };
    co_await bound->listener.run(std::move(on_accept));
    co_await asio::post(loop_.executor(), asio::use_awaitable);  // who closed it is not done yet
    listeners_.erase(bound);
}

void Server::stop_listening(const ListenAddress& asked, bool is_control) {
    const auto bound = std::ranges::find_if(listeners_, [&](const Bound& one) {
        return one.is_control == is_control && one.listener.asked() == asked;
    });
    if (bound != listeners_.end()) {
        bound->listener.retire();
    }
}

void Server::admit(UniqueFd socket, const Bound& bound) {
    Arrival arrival;
    arrival.is_control = bound.is_control;
    if (bound.listener.address().tls) {
        arrival.tls = tls_ ? tls_->accept(socket.get()) : nullptr;
        if (arrival.tls == nullptr) {
            return spdlog::warn("accept on {}: out of memory", bound.listener.address().url());
        }
    }
    arrival.socket = std::move(socket);
    take(std::move(arrival));
}

void Server::take(Arrival arrival) {
    if (arrival.is_control) {
        arrival.stranger = stranger_at(arrival.socket.get());
    }
    const bool is_placed = !arrival.is_control && options_.place && options_.place(arrival);
    if (!is_placed) {
        serve(std::move(arrival));
    }
}

void Server::serve(Arrival arrival) {
    ++begun_;
    tasks_.spawn(session(std::move(arrival)));
}

std::vector<std::string> Server::addresses() const {
    std::vector<std::string> result;
    for (const auto& bound : listeners_) {
        const auto place = bound.is_control ? result.begin() : result.end();
        result.insert(place, bound.listener.address().url());
    }
    return result;
}

void Server::drain() {
    draining_ = true;
    for (auto& bound : listeners_) {
        bound.listener.close();
    }
    const auto all = connections_;
    for (auto* connection : all) {
        if (connection->is_idle()) {
            connection->end();
        }
    }
}

std::vector<HandedOver> Server::release_listeners() {
    std::vector<HandedOver> released;
    for (auto& bound : listeners_) {
        auto listener = bound.listener.release();
        if (listener.socket) {
            released.push_back(std::move(listener));
        }
    }
    return released;
}

void Server::hand_over(std::function<void(Arrival)> successor) {
    successor_ = std::move(successor);
    const auto all = connections_;
    for (auto* connection : all) {
        if (!connection->is_idle()) {
            continue;
        }
        if (may_pass(*connection)) {
            successor_(connection->give_up());
        } else {
            connection->end();
        }
    }
}

void Server::cut_own(const Connection* spared) {
    const auto all = connections_;
    for (auto* connection : all) {
        if (connection != spared && connection->answers() == Connection::Answers::daemon) {
            connection->abort();
        }
    }
}

std::size_t Server::active_own(const Connection* spared) const {
    const auto counts = [spared](const Connection* connection) {
        return connection != spared && connection->answers() == Connection::Answers::daemon;
    };
    return static_cast<std::size_t>(std::ranges::count_if(connections_, counts));
}

void Server::cut() {
    const auto all = connections_;
    for (auto* connection : all) {
        if (connection->answers() == Connection::Answers::nobody) {
            connection->end();
        } else {
            connection->abort();
        }
    }
}

asio::awaitable<void> Server::wait() {
    co_await tasks_.wait();
}

/// A connection between two requests is this and one wait: it holds nothing of a request's.
asio::awaitable<void> Server::session(Arrival arrival) {
    Registration registration(*this);
    Connection connection(std::move(arrival), loop_);
    registration.know(connection);
    // Who connects says something soon; who has been served may keep the connection for more.
    auto patience = options_.http.header_timeout;
    auto turn = turn_now();
    unsigned served_in_turn = 0;
    for (bool more = true; more; patience = options_.http.idle_timeout) {
        if (turn_now() != turn) {
            turn = turn_now();
            served_in_turn = 0;
        } else if (++served_in_turn > most_in_turn) {
            served_in_turn = 0;
            co_await asio::post(loop_.executor(), asio::use_awaitable);
        }
        if (may_pass(connection)) {
            successor_(connection.release(""));
            break;
        }
        bool came = true;
        if (connection.input().empty()) {
            connection.set_idle(true);
            const auto received = co_await connection.receive(turn_now() + patience);
            connection.set_idle(false);
            came = received.has_value();
        }
        if (!came) {
            co_await ask_for_tls(connection);
            break;
        }
        auto served = take_spare();
        more = co_await serve_one(connection, *served);
        if (spare_.size() < most_spare) {
            spare_.push_back(std::move(served));
        }
    }
}

std::unique_ptr<Server::Served> Server::take_spare() {
    if (spare_.empty()) {
        return std::make_unique<Served>(options_.http);
    }
    auto spare = std::move(spare_.back());
    spare_.pop_back();
    return spare;
}

/// nullptr: served.refusal says what to answer.
const Route* Server::find_route(Exchange& exchange, Served& served) const {
    auto& request = served.request;
    served.refusal.reset();
    auto match = routes_.find(request.head.method, request.head.path);
    request.params = std::move(match.params);
    request.route = match.route == nullptr ? std::string_view() : match.route->pattern;
    if (const auto& stranger = exchange.connection().stranger(); !stranger.empty()) {
        exchange.mark_close();
        served.refusal =
            error_response(Error(Errc::forbidden, stranger + " may not use the control socket")
                               .with_hint("be root, routerd's user or a member of its group"),
                           request.dialect);
        return nullptr;
    }
    if (!exchange.is_control() && options_.authorize) {
        const auto scheme = exchange.connection().is_tls() ? Scheme::https : Scheme::http;
        auto allowed = options_.authorize(request.head, match.route, scheme);
        if (!allowed) {
            exchange.mark_close();  // its body stays unread
            served.refusal = error_response(allowed.error(), request.dialect);
            return nullptr;
        }
        request.caller = std::move(*allowed);
    }
    if (match.route == nullptr) {
        if (request.head.body != http::BodyKind::none) {
            exchange.mark_close();
        }
        served.refusal = no_route(request, match);
    }
    return match.route;
}

/// As far as it goes without waiting.
Server::Step Server::begin_dispatch(Exchange& exchange, Served& served) {
    if (may_pass(exchange.connection())) {
        served.is_elsewhere = true;
        successor_(exchange.connection().release(served.reader.raw_head()));
        return Step::done;
    }
    served.route = find_route(exchange, served);
    const bool is_for_model = served.route != nullptr && served.route->scope == Scope::inference;
    exchange.connection().set_answers(is_for_model ? Connection::Answers::model
                                                   : Connection::Answers::daemon);
    if (served.route == nullptr) {
        return Step::refuse;
    }
    served.is_elsewhere = !served.route->handler;
    if (served.is_elsewhere) {
        return Step::pass_on;
    }
    return after_body(exchange, served,
                      served.reader.take_body(exchange.connection(), served.request));
}

Server::Step Server::after_body(Exchange& exchange, Served& served, RequestReader::Step body) {
    if (body == RequestReader::Step::partly) {
        return Step::read_body;
    }
    const bool is_whole = body == RequestReader::Step::whole;
    if (is_whole && (!successor_ || served.route->scope == Scope::inference)) {
        return Step::handle;
    }
    exchange.mark_close();
    served.refusal = is_whole ? error_response(replaced(), served.request.dialect)
                              : served.reader.refusal(served.request.dialect);
    return Step::refuse;
}

/// What few requests need.
asio::awaitable<void> Server::go_on(Exchange& exchange, Served& served, Step step) {
    if (step == Step::pass_on) {
        const bool has_last_answer = co_await exchange.flush();
        if (!has_last_answer) {
            exchange.abort();
            co_return;
        }
        options_.pass_on(exchange.connection().release(served.reader.raw_head()));
        co_return;
    }
    if (step == Step::read_body) {
        const bool came = co_await served.reader.read_body(exchange.connection(), served.request);
        step = after_body(exchange, served,
                          came ? RequestReader::Step::whole : RequestReader::Step::refused);
    }
    if (step == Step::handle) {
        co_await served.route->handler(exchange);
    } else if (served.refusal) {
        co_await exchange.refuse(std::move(*served.refusal));
    } else {
        exchange.abort();
    }
}

void Server::clean_up(Connection& connection, Served& served) {
    auto& request = served.request;
    request.body = {};
    connection.consume(std::exchange(request.held, 0));
    request.params.clear();
    served.reader.shrink(request);
}

/// Where the client's first word was not TLS's but HTTP's.
asio::awaitable<void> Server::ask_for_tls(Connection& connection) {
    if (!connection.fall_back()) {
        co_return;
    }
    const auto error =
        Error(Errc::invalid_request, "this listener speaks TLS, the request does not")
            .with_hint("ask https:// instead of http://");
    auto served = take_spare();
    co_await refuse(connection, served->request, error_response(error, Dialect::openai));
}

/// Says what is wrong with bytes that are no request, and ends.
asio::awaitable<void> Server::refuse(Connection& connection, Exchange::Request& request,
                                     Response refusal) {
    request.head.keep_alive = false;
    request.head.minor_version = 1;
    request.head.method = "GET";
    request.head.body = http::BodyKind::none;
    set_new_request_id(request.id);
    Exchange exchange(connection, request, {});
    co_await exchange.refuse(std::move(refusal));
    co_await connection.finish();
}

void Server::prepare(Exchange::Request& request) const {
    const auto given = request.head.find(http::Name::x_request_id);
    if (given && is_sane_request_id(*given)) {
        request.id = *given;
    } else {
        set_new_request_id(request.id);
    }
    request.caller = {};
    request.path = request.head.path;
    if (request.path.find('%') != std::string::npos) {
        request.path = http::percent_decode(request.head.path).value_or(request.path);
    }
    request.dialect = dialect_of(request.head.path);
}

/// For a handler that gave no answer, or not the whole of it.
asio::awaitable<void> Server::make_up_for(Exchange& exchange) {
    if (exchange.head_sent()) {
        exchange.abort();
    } else {
        co_await exchange.respond(Error(Errc::internal, "no answer"));
    }
}

asio::awaitable<bool> Server::serve_one(Connection& connection, Served& served) {
    auto& request = served.request;
    auto step = served.reader.take_head(connection, request);
    if (step == RequestReader::Step::partly) {
        const bool came = co_await served.reader.read_head(connection, request);
        step = came ? RequestReader::Step::whole : RequestReader::Step::refused;
    }
    if (step == RequestReader::Step::refused) {
        if (auto refusal = served.reader.refusal(Dialect::openai)) {
            co_await refuse(connection, request, std::move(*refusal));
        }
        co_return false;
    }
    prepare(request);
    request.head.keep_alive = request.head.keep_alive && !closes(connection);
    served.is_elsewhere = false;
    active_.add(1);
    Exchange exchange(connection, request, {});
    try {
        const auto next = begin_dispatch(exchange, served);
        if (next == Step::handle) {
            co_await served.route->handler(exchange);
        } else if (next != Step::done) {
            co_await go_on(exchange, served, next);
        }
    } catch (const std::exception& e) {
        log_fault(request, e);
        exchange.mark_close();
    }
    if (!exchange.finished() && !served.is_elsewhere) {
        co_await make_up_for(exchange);
    }
    if (connection.answers() == Connection::Answers::daemon) {
        log_own(exchange);
    }
    connection.on_gone(nullptr);
    connection.set_answers(Connection::Answers::nobody);
    active_.add(-1);
    clean_up(connection, served);
    if (!request.head.keep_alive && !connection.gone()) {
        co_await connection.finish();
    }
    co_return request.head.keep_alive && !closes(connection) && !connection.gone();
}

}  // namespace routerd
