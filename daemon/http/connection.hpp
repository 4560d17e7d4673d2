#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "daemon/http/input_memory.hpp"
#include "daemon/net/stream.hpp"
#include "daemon/net/wakeup.hpp"

namespace routerd {

/// A client's connection on its way to the loop that will serve it.
struct Arrival {
    UniqueFd socket;
    bool is_control = false;
    std::string stranger;  ///< who is on the control socket and may not be; empty: nobody such
    std::unique_ptr<TlsSession> tls;  ///< nullptr: without
    std::string input;                ///< received already
};

/// A client's connection. That a client leaves is noticed at once, also while its request is being
/// served, and without a read: the socket says so. Bytes of a request, its head and its body, stay
/// in one buffer until consume(), the body never copied; a connection that waits for a request has
/// no buffer. Owned by its session; loop thread only.
class Connection final : private Stream::Owner {
  public:
    Connection(Arrival arrival, IoLoop& loop);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Gives it up for another loop, where `head` is the front of what was received. It is gone()
    /// afterwards.
    Arrival release(std::string_view head);

    /// Gives it up while it waits for a request: its session ends.
    Arrival give_up();

    /// Came over the control socket: its user is the administrator.
    bool is_control() const noexcept { return is_control_; }
    const std::string& stranger() const noexcept { return stranger_; }
    bool is_tls() const noexcept { return is_tls_; }

    /// Received and not consumed yet. Valid until the next receive(), reserve() or release(). A
    /// parser may read (not use) some bytes behind it: see padding.
    std::string_view input() const noexcept;
    static constexpr std::size_t padding = InputMemory::padding;

    /// For what is decoded in place.
    char* mutable_input() noexcept { return memory_.data() + begin_; }

    /// Puts `front` right before `part`, the front of the input, in place of what was consumed:
    /// both, as one. Empty: it would not be lent, or there is no room.
    std::string_view join(std::string_view front, std::string_view part) noexcept;

    /// A server may from now on read `part` of the input where it is, see Stream::lend(): its
    /// memory is not used again before take_back(), if ever. False: `part` is not of such memory.
    bool lend(std::string_view part) noexcept { return memory_.lend(part); }
    /// Once for a lend(), while the input is still there: the server has taken it.
    void take_back() noexcept { memory_.take_back(); }

    void consume(std::size_t count) noexcept;

    /// Takes all but the last `count` bytes of input off, and the memory with them where nothing is
    /// left.
    void release(std::size_t count) noexcept;

    /// Takes all but the first `count` bytes of input off.
    void truncate(std::size_t count) noexcept;

    /// Makes room for `whole` bytes of input in all, so that they are not moved as they come.
    void reserve(std::size_t whole);

    /// Waits for more input, as much as there is room for (some kilobytes at least). Less than
    /// `useful` bytes would change nothing: a client that trickles, or has a few to go, is not
    /// listened to before they have come or the deadline has, which costs it nothing and spares the
    /// others thousands of turns. Errors: cancelled (the client left), deadline_exceeded (and there
    /// was nothing).
    asio::awaitable<Result<void>> receive(TimePoint deadline, std::uint64_t useful = 1);

    /// Sends all, as long as the client takes something of it in each `patience`. Errors:
    /// cancelled, deadline_exceeded; either way the connection is of no more use.
    asio::awaitable<Result<void>> send(std::span<asio::const_buffer> buffers,
                                       std::chrono::milliseconds patience);
    asio::awaitable<Result<void>> send(std::string_view bytes, std::chrono::milliseconds patience);

    /// What is sent from now on is the last, and leaves with finish(), which follows at once.
    void will_finish() noexcept { will_finish_ = true; }

    /// Sends what the socket takes now and advances `buffers`; what is left can be sent when
    /// on_writable() tells. False when the client is gone.
    bool send_some(std::span<asio::const_buffer>& buffers) noexcept;

    /// From now on `callback` is called once, from the loop, when the client leaves, does not read
    /// until the deadline of on_writable() or the connection is aborted; at once when it has left
    /// already. nullptr: nobody wants to know any more.
    void on_gone(std::function<void()> callback);
    bool gone() const noexcept { return gone_; }

    /// `callback` is called once when the client takes output again; on_gone() tells of `deadline`.
    void on_writable(std::function<void()> callback, TimePoint deadline);

    /// After a receive() that failed. True: its client speaks HTTP where TLS is spoken, and can be
    /// told so, without; what it says is no request any more.
    bool fall_back() noexcept;

    /// Nothing that was sent is to look like the end of an answer.
    void abort() noexcept;

    /// Ends while nothing is asked on it: the client gets what it has not taken yet of the last
    /// answer, and then an orderly end.
    void end() noexcept;

    /// Orderly end: what was sent arrives, what the client still sends is read for some seconds and
    /// thrown away, so that a reset does not destroy our last answer (RFC 9112 9.6).
    asio::awaitable<void> finish();

    /// Whether it waits for a request, of which nothing has come, as its session says, and the
    /// socket has taken the last answer.
    bool is_idle() { return idle_ && has_sent_all(); }
    /// The socket has taken all that was sent; what waits for the turn's end leaves now.
    bool has_sent_all();
    void set_idle(bool idle) noexcept { idle_ = idle; }

    /// It has sent a request's head: from now on it does not come after those who have.
    void has_asked() noexcept { stream_.set_new(false); }

    /// What answers on it now: the server says so.
    enum class Answers { nobody, model, daemon };
    Answers answers() const noexcept { return answers_; }
    void set_answers(Answers who) noexcept { answers_ = who; }

    IoLoop& loop() const noexcept { return stream_.loop(); }

  private:
    void on_readable() override;
    void on_writable() override;
    void on_expired() override;
    void tell_gone();
    void left_now() noexcept;
    bool read_now();
    void listen_for(std::uint64_t useful);

    bool is_control_;
    std::string stranger_;
    bool is_tls_;
    Stream stream_;
    bool gone_ = false;
    bool expired_ = false;
    bool idle_ = false;
    bool will_finish_ = false;
    bool trickled_ = false;  // to its end: what still comes is no hurry either
    Answers answers_ = Answers::nobody;
    int tiny_reads_ = 0;       // in a row, at most as many as make a trickle
    bool asked_much_ = false;  // the last request: the next one may, too
    InputMemory memory_;
    std::size_t begin_ = 0;         // first byte not consumed
    std::size_t end_ = 0;           // end of what was received
    std::size_t read_in_turn_ = 0;  // bytes since receive() last slept
    Wakeup reader_;                 // receive() sleeps here
    Wakeup writer_;                 // send() sleeps here
    std::function<void()> on_gone_;
    std::function<void()> on_writable_;
};

}  // namespace routerd
