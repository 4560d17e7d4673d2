#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/http/chunked.hpp"
#include "common/http/head.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/http/exchange.hpp"
#include "daemon/http/upstream.hpp"
#include "daemon/net/wakeup.hpp"
#include "daemon/proxy/tail_tap.hpp"

namespace routerd {

/// One request's way to a model's server and the answer's way back. It is driven by what the two
/// sockets tell and passes bytes on inside that call: no coroutine, queue or copy lies between, and
/// nothing is held to be joined. What a client does not take at once waits in a buffer of one read
/// at most, and the server is not read meanwhile. Lives in the request's coroutine.
class Transfer final : private Upstream::User {
  public:
    /// How the answer's body goes on.
    enum class Way {
        verbatim,  ///< as the server framed it: a length, or its own chunks
        chunked,   ///< taken out of the server's framing, in chunks of our own
        plain,     ///< taken out of it, until close
        collected  ///< not sent: kept for take_collected()
    };

    /// Who decides what becomes of an answer.
    class Pilot {
      public:
        /// `head` is the answer's, its views good for this call. Writes what the client gets as
        /// head, with the empty line, into `to_client`; nothing where it has one already.
        virtual Way on_answer(const http::ResponseHead& head, std::string& to_client) = 0;

        /// The request is not needed any more, and its answer may be long.
        virtual void on_request_done() = 0;

      protected:
        ~Pilot() = default;
    };

    struct Limits {
        std::chrono::milliseconds first_byte;  ///< request sent to the answer's head
        std::chrono::milliseconds stall;       ///< between two reads of its body
    };

    /// `heard` is told when something came from the server.
    Transfer(Exchange& exchange, Upstream& upstream, Pilot& pilot, Limits limits, SignOfLife& heard)
        : exchange_(exchange), upstream_(upstream), pilot_(pilot), limits_(limits), heard_(heard) {}
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() = default;

    /// Sends the request, whose bytes must stay, and from then on relays the answer.
    void start(std::string_view head, std::string_view body);

    bool settled() const noexcept { return outcome_.has_value(); }

    /// Sleeps until settled; not for one that is.
    asio::awaitable<void> wait() { return finished_.wait(); }

    /// When settled. Errors: cancelled (the client left), upstream_error (the server broke off or
    /// answered nonsense; see untouched()), deadline_exceeded.
    const Result<void>& outcome() const noexcept { return *outcome_; }

    /// The server is known to have done nothing for the request: it may be sent once more.
    bool untouched() const noexcept { return untouched_; }
    unsigned status() const noexcept { return status_; }     ///< of the answer; 0: none yet
    std::uint64_t bytes() const noexcept { return bytes_; }  ///< of its body, without framing
    /// In how many pieces they came: of a stream, about one a token.
    std::uint64_t pieces() const noexcept { return pieces_; }
    const TailTap& tap() const noexcept { return tap_; }
    TimePoint answered_at() const noexcept { return answered_at_; }

    /// The connection may serve another request.
    bool reusable() const noexcept;

    /// Another chunk may be put into the client's stream here.
    bool at_boundary() const noexcept;

    std::string take_collected() noexcept { return std::move(collected_); }

  private:
    void on_upstream_readable() override { pump(); }
    void on_upstream_writable() override;
    void on_upstream_expired() override;
    void on_client_gone();
    void on_client_writable();

    void send_request();
    void end_loan();
    void pump();
    void take(std::string_view piece);
    std::string_view take_head(std::string_view piece);
    void begin_body(const http::ResponseHead& head);
    void take_body(std::string_view piece);
    template <class OnData>
    std::size_t go_over(std::string_view piece, const OnData& on_data);
    void append_decoded(std::string_view data);
    void pass_on(std::string_view piece);
    void on_server_end();
    void on_server_failure(int error);
    bool complete() const noexcept;
    void settle(Result<void> outcome);
    void let_go();
    void settle_bad(std::string_view what, std::string_view why);
    void wake();

    Exchange& exchange_;
    Upstream& upstream_;
    Pilot& pilot_;
    Limits limits_;
    SignOfLife& heard_;

    std::array<asio::const_buffer, 2> request_;
    std::span<asio::const_buffer> to_send_;  // of request_
    std::uint64_t mark_ = 0;
    int send_error_ = 0;
    bool lends_ = false;  // the body is read by the server where it is

    http::HeadScanner scanner_;
    std::string raw_head_;  // what came of the answer's head, where it did not come whole
    unsigned interim_ = 0;  // 1xx answers
    unsigned status_ = 0;
    bool begun_ = false;  // a byte came
    bool keep_alive_ = false;
    bool excess_ = false;  // more came than belongs to the answer
    bool untouched_ = false;
    bool ended_ = false;    // the server closed, which ended the body
    bool blocked_ = false;  // the client does not take more now
    http::BodyKind kind_ = http::BodyKind::none;
    Way way_ = Way::verbatim;
    std::uint64_t left_ = 0;
    http::ChunkedDecoder decoder_;
    std::string to_client_;  // the head; then what the client has not taken
    std::string collected_;
    std::uint64_t bytes_ = 0;
    std::uint64_t pieces_ = 0;
    TailTap tap_;
    TimePoint answered_at_;

    std::optional<Result<void>> outcome_;
    Wakeup finished_;
};

}  // namespace routerd
