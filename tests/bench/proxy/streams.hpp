#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/proxy/client.hpp"

namespace bench {

/// Requests of one exchange for each connection, of which every event is checked. Streaming,
/// leaving in the middle and parking are what a mode does with them.
class Streams : public Exchanges {
  public:
    struct Stream {
        std::string request;
        std::string receipt;
        std::string rest;  ///< of an event, or of an answer that is no stream
        std::uint64_t tokens = 0;
        std::uint64_t asked_ns = 0;
        std::uint64_t left_ns = 0;  ///< when the client went
        bool has_usage = false;
        bool has_done = false;
        bool is_over = false;
        std::string fault;  ///< the first one
    };

    explicit Streams(const Options& options);

    /// Opens all connections and sends the requests, spread over the ramp; then serves them until
    /// all are over or it is enough, or for `seconds`.
    void run(double seconds);
    /// What is not over by now is broken.
    void end_all(const std::string& why);
    void leave(Peer& peer);  ///< closes the connection in the middle of the answer
    void report(Report& to);

    Client& client() { return client_; }
    Stream& stream(const Peer& peer) { return streams_[peer.index]; }
    const std::vector<Stream>& streams() const { return streams_; }
    std::uint64_t tokens() const { return tokens_; }
    std::uint64_t good() const { return good_; }
    std::uint64_t broken() const { return broken_; }
    std::uint64_t first_id() const { return first_id_; }

    void on_body(Peer& peer, std::string_view piece, std::uint64_t now) override;
    void on_reply(Peer& peer, std::uint64_t now) override;
    void on_broken(Peer& peer, const std::string& why) override;

  protected:
    /// After each piece of a stream that came.
    virtual void on_progress(Peer& /*peer*/) {}
    virtual bool is_enough() const { return false; }

  private:
    void on_event(Stream& stream, std::string_view event, std::uint64_t now);
    std::string missing(const Peer& peer, const Stream& stream) const;
    void finish(Stream& stream);

    const Options& options_;
    Client client_;
    std::uint64_t first_id_;
    std::vector<Stream> streams_;
    std::uint64_t open_ = 0;
    std::uint64_t good_ = 0;
    std::uint64_t broken_ = 0;
    std::uint64_t tokens_ = 0;
    std::map<std::string, std::uint64_t> faults_;
    Times delays_;       // of tokens, from the stand-in's stamp
    Times first_token_;  // from the request
};

}  // namespace bench
