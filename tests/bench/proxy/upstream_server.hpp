#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/proxy/wire.hpp"

namespace bench {

struct UpstreamConnection {
    enum class State { reading, waiting, streaming };

    int fd = -1;
    std::uint64_t serial = 0;
    State state = State::reading;
    bool is_closed = false;
    bool is_writing = false;  ///< epoll tells when it can be written to
    bool is_stalled = false;  ///< an eager stream whose client does not keep up
    std::string in;
    std::string out;
    std::string path;
    std::string receipt;  ///< of the request's body
    Ask ask;
    std::uint64_t sent = 0;     ///< tokens
    std::uint64_t next_at = 0;  ///< ns
};

/// The stand-in's loop: one thread, epoll, connections by descriptor. Lives as long as the process.
class UpstreamServer {
  public:
    UpstreamServer();
    UpstreamServer(const UpstreamServer&) = delete;
    UpstreamServer& operator=(const UpstreamServer&) = delete;

    /// Empty, or why not.
    std::string listen_on_path(const std::string& path);
    std::string listen_on_port(const std::string& port);  ///< of 127.0.0.1
    bool listens() const { return !listeners_.empty(); }

    [[noreturn]] void run();

  private:
    struct Due {
        std::uint64_t at;
        int fd;
        std::uint64_t serial;  // a descriptor may be another's by then
        bool operator<(const Due& other) const { return at > other.at; }
    };

    std::string listen(int fd, const std::string& where);
    void accept_from(int listener);
    void on_ready(int fd, std::uint32_t events);
    void read(UpstreamConnection& c);
    bool answer_next(UpstreamConnection& c);
    void answer(UpstreamConnection& c, std::string_view target, std::string_view body);
    void reply(UpstreamConnection& c, std::string_view status, std::string_view body);
    void reply_to_chat(UpstreamConnection& c);
    void begin_stream(UpstreamConnection& c);
    void write_tokens(UpstreamConnection& c);
    void send(UpstreamConnection& c, std::string_view bytes);
    void flush(UpstreamConnection& c);
    void watch(UpstreamConnection& c, bool writing);
    void close(UpstreamConnection& c);
    void serve_due();
    void serve_eager();
    void wait();
    std::string stats() const;
    UpstreamConnection* find(int fd, std::uint64_t serial);

    int epoll_;
    std::vector<int> listeners_;
    std::vector<std::unique_ptr<UpstreamConnection>> connections_;  // by descriptor
    std::vector<std::unique_ptr<UpstreamConnection>> closed_;       // freed between two turns
    std::priority_queue<Due> due_;
    std::deque<std::pair<int, std::uint64_t>> eager_;  // streams without interval, in turns
    std::deque<std::pair<std::uint64_t, std::uint64_t>> left_;  // id, ns
    std::uint64_t serials_ = 0;
    std::uint64_t open_ = 0;
    std::uint64_t aborted_ = 0;
};

}  // namespace bench
