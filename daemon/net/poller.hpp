#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <sys/epoll.h>

#include "common/base/time.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/net/io_batch.hpp"
#include "daemon/net/loop_wait.hpp"
#include "daemon/net/net.hpp"
#include "daemon/net/wake_policy.hpp"

namespace routerd {

/// Tells of sockets that became ready, without an allocation, a queue or a system call per wait.
/// Asio's own reactor tries each read before it waits for it, which on a connection that waits for
/// its peer is a system call in vain for each message. So the sockets of requests and answers are
/// in an epoll set of ours, registered once and edge-triggered, in which the loop waits.
/// Where a turn has several events, their sockets are read by one system call before the first is
/// told, and what is to be sent meanwhile leaves by another at the end (see IoBatch).
/// Those that may wait are told last and one by one, with a look for others before each, and who
/// was woken by those has his turn of the processor: of thousands that trickle, or were cut and
/// come again, none has to be dealt with before somebody who is in earnest. Owned by its
/// IoLoop; used on that loop's thread only.
class Poller final : private LoopWait::Waiter {
  public:
    /// Something whose descriptor is in the set. Its destructor must have removed it.
    class Watched {
      public:
        /// EPOLL… bits. Called from the loop; may remove and destroy anything, itself too.
        virtual void on_io(unsigned events) = 0;

        /// Whether what it would be told of now is no hurry, if it is not that it takes output.
        virtual bool may_wait() const noexcept { return false; }

        /// Whether it has said nothing in earnest yet: where there is a crowd of those that are
        /// told rarely, it may be another one of them, and may wait.
        virtual bool is_new() const noexcept { return false; }

        /// Its socket, where bytes may be received for it before it is told of them; -1: no.
        virtual int wants_input_early() const noexcept { return -1; }

        /// What a recv() gave: so many bytes at input(place), until on_told(), or a negative errno.
        /// on_io() follows.
        virtual void on_input(std::uint8_t /*place*/, int /*result*/) noexcept {}

        /// After on_io(), where it is still watched: what on_input() gave goes away now.
        virtual void on_told() {}

        /// What send_later() took was sent, or `result` of it: as send() has it, or a negative
        /// errno.
        virtual void on_sent(std::span<const char> /*bytes*/, int /*result*/) {}

      protected:
        ~Watched() = default;
    };

    /// One that wants to be called at a time.
    class Alarm {
      public:
        /// From the loop, as the last of a turn; may do all that on_io() may.
        virtual void on_alarm() = 0;

      protected:
        ~Alarm() = default;
    };

    /// See LoopWait for the executor.
    explicit Poller(const asio::any_io_executor& executor, WakePolicy wake_policy = WakePolicy());
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller() = default;

    /// Whether several sockets are read and written by one system call, where the kernel can; it
    /// is so at first.
    void join(bool wanted) noexcept { joined_.allow(wanted); }

    /// Adds a descriptor: from now on each change to readable and each hang-up is told once. What
    /// is there already is told with the next turn.
    void add(int fd, Watched& watched);

    /// Whether it is told when the descriptor takes output again, too.
    void want_output(int fd, Watched& watched, bool wanted);

    void remove(int fd, Watched& watched) noexcept;

    /// Whether it may be told `rarely` late: of thousands that each have a little to say, many then
    /// share a wait of the loop. False: it stays as it was, the kernel has no memory for it. A
    /// want_output() of before is forgotten and must be said again.
    bool watch_rarely(int fd, Watched& watched, bool wanted) noexcept;
    static constexpr std::chrono::milliseconds rarely{20};
    static constexpr std::size_t crowd = 512;  ///< so many of those: who is_new() may wait

    /// Calls on_io(EPOLLIN) with the next turn, for one that stopped before all was read so that
    /// others get their turn.
    void again(Watched& watched);

    /// Calls `alarm` once when it is `when`, to a millisecond, and not later or earlier than that
    /// as was said before: of one poller there is one alarm. It outlives this or cancels it. The
    /// loop has something to wait for as long as it is set. Costs no system call: the wait ends
    /// then.
    void set_alarm(Alarm& alarm, TimePoint when);
    void cancel_alarm() noexcept { alarm_at_ = TimePoint::max(); }

    /// Where on_input() has its bytes.
    const char* input(std::uint8_t place) const noexcept {
        return early_.get() + place * early_room;
    }
    static constexpr std::size_t early_room = 4096;  ///< bytes of one place

    /// Takes a copy of the bytes, of `size` in all, which are sent before this turn ends;
    /// watched.on_sent() tells how it went. False, and nothing is taken: there is nothing to join
    /// them with, send them now. One at a time of each `watched`, which calls send_now() before it
    /// is removed.
    bool send_later(int fd, std::span<const asio::const_buffer> pieces, std::size_t size,
                    Watched& watched);
    static constexpr std::size_t most_later = 4096;  ///< bytes of one send_later()

    /// Sends what send_later() took.
    void send_now();

    /// Between two things that are no hurry: see WakePolicy::give_way().
    void give_way() noexcept { wake_policy_.give_way(); }

  private:
    Found wait(int timeout) override;
    void take_turn() override;
    void take_turn_soon();
    void stay_busy();
    int until_alarm() const noexcept;
    void set_aside();
    void set_aside(const epoll_event& event);
    void take_rare();
    void tell_patient();
    void receive_early();
    void tell(Watched& watched, unsigned events);
    void forget(const Watched& watched) noexcept;

    static constexpr std::size_t batch_size = 128;
    static constexpr std::size_t later_room = 64U << 10U;  // bytes of all
    static constexpr std::size_t later_count = 32;  // then they leave: others can begin with them

    struct Later {
        int fd;
        std::span<const char> bytes;
        int result;
        Watched* watched;
    };

    asio::any_io_executor executor_;
    UniqueFd set_;
    LoopWait wait_;
    std::size_t watched_ = 0;
    // The loop has something to wait for, as long as there is one.
    std::optional<asio::executor_work_guard<asio::any_io_executor>> busy_;
    bool turn_is_due_ = false;  // one was posted
    bool tells_ = false;
    TimePoint now_;                          // of the last turn, or of a later look at the alarm
    TimePoint alarm_at_ = TimePoint::max();  // which is none
    Alarm* alarm_ = nullptr;
    std::array<epoll_event, batch_size> events_{};
    std::span<epoll_event> batch_;     // of them, not told yet
    std::deque<epoll_event> patient_;  // set aside, not told yet
    // Of those that are told rarely. It is in the other set, which tells of it once; then it is
    // looked at by the clock, until there is none.
    UniqueFd rare_set_;
    std::size_t rare_ = 0;  // in that set
    bool rare_is_ready_ = false;
    TimePoint rare_at_ = TimePoint::max();  // the next look
    std::vector<Watched*> again_;
    std::vector<Watched*> told_again_;
    Watched* told_ = nullptr;  // whose on_io() runs, as long as it is watched

    WakePolicy wake_policy_;
    IoBatch joined_;
    bool joins_ = false;  // in this turn
    std::unique_ptr<char[]> early_;
    std::unique_ptr<char[]> later_bytes_;
    std::size_t later_used_ = 0;
    std::vector<Later> later_;
};

}  // namespace routerd
