#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "tests/bench/proxy/meter.hpp"
#include "tests/bench/proxy/response.hpp"
#include "tests/bench/proxy/wire.hpp"

struct ssl_st;

namespace bench {

struct Options {
    std::string mode;
    std::uint64_t port = 0;  ///< of 127.0.0.1
    std::string key;         ///< bearer token; empty: none
    std::string model = "m1";
    bool tls = false;
    std::uint64_t connections = 64;
    std::uint64_t body = 1024;
    double seconds = 2;  ///< measured; in idle mode, held
    double warmup = 0.3;
    double rate = 0;  ///< requests a second; 0: each connection as fast as it is answered
    double timeout = 20;
    std::uint64_t ramp_ms = 0;      ///< over which streams begin
    std::uint64_t leave_after = 3;  ///< tokens, in abort mode
    bool unary = false;             ///< abort and idle mode: requests that are no streams
    std::uint64_t stats_port = 0;
    Ask ask;
    std::vector<pid_t> pids;     ///< of the proxy
    std::vector<pid_t> helpers;  ///< of the stand-in behind it
};

/// A connection to the target and the exchange on it. Owned by its Client.
class Peer {
  public:
    Peer() = default;
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { close(); }

    bool is_open() const { return fd_ >= 0; }
    bool is_busy() const { return busy_; }  ///< an answer is expected
    bool has_sent() const { return sent_ == request_.size(); }
    unsigned status() const { return reader_.status(); }
    void close();

    std::size_t index = 0;

  private:
    friend class Client;

    bool connect(const Options& options);
    bool start_tls();
    ssize_t receive(char* to, std::size_t size);
    ssize_t transmit(std::string_view bytes);

    int fd_ = -1;
    ssl_st* tls_ = nullptr;
    bool busy_ = false;
    bool watched_for_writing_ = false;
    std::string_view request_;
    std::size_t sent_ = 0;
    ResponseReader reader_;
};

/// What a mode makes of its exchanges. Each request ends in one of on_reply and on_broken.
class Exchanges {
  public:
    virtual ~Exchanges() = default;
    virtual void on_body(Peer& peer, std::string_view piece, std::uint64_t now) = 0;
    virtual void on_reply(Peer& peer, std::uint64_t now) = 0;        ///< whole, whatever its status
    virtual void on_broken(Peer& peer, const std::string& why) = 0;  ///< the connection is closed
};

/// Connections on one epoll loop.
class Client {
  public:
    Client(const Options& options, Exchanges& exchanges);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Peer& add();  ///< not connected
    const std::vector<std::unique_ptr<Peer>>& peers() const { return peers_; }

    /// Connects, waiting for it. On failure says so and ends the process: nothing can be measured.
    void open(Peer& peer);
    void open_all();
    /// `request` stays the caller's until the exchange has ended.
    void send(Peer& peer, std::string_view request);
    /// Serves what happens until `until` (ns), once.
    void turn(std::uint64_t until);

  private:
    void push(Peer& peer);
    void pull(Peer& peer);
    bool take(Peer& peer, std::string_view bytes);
    void fail(Peer& peer, const std::string& why);

    const Options& options_;
    Exchanges& exchanges_;
    int epoll_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::vector<char> buffer_;
};

/// A whole request, head and body; `body` as of make_body().
std::string make_request(const Options& options, const std::string& body);

int run_unary(const Options& options);
int run_stream(const Options& options);
int run_abort(const Options& options);
int run_idle(const Options& options);

}  // namespace bench
