#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/time.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

class Deadlines;

/// Something that may wait too long. While it lives it is on its loop's list; moving its deadline
/// is an assignment, so a deadline per read costs no timer.
class Expiring {
  public:
    explicit Expiring(Deadlines& list) noexcept;
    Expiring(const Expiring&) = delete;
    Expiring& operator=(const Expiring&) = delete;
    virtual ~Expiring();

  protected:
    /// TimePoint::max(): none.
    void set_deadline(TimePoint deadline);
    void clear_deadline() noexcept { deadline_ = TimePoint::max(); }

  private:
    friend class Deadlines;
    /// The deadline has passed (it is cleared first). Called from the loop; may destroy anything,
    /// itself too.
    virtual void on_deadline() = 0;

    Deadlines& list_;
    Expiring* previous_ = nullptr;
    Expiring* next_ = nullptr;
    TimePoint deadline_ = TimePoint::max();
};

/// All deadlines of one loop, looked at four times a second while there is any: precise enough for
/// time-outs of seconds, and nothing is paid for a deadline that is met. When thousands pass at
/// once, they are told one by one with pauses, for the sake of the loop's other work: 2,000 a
/// second. Outlives what is on it, and is destroyed only when its loop does not run any more.
class Deadlines {
  public:
    explicit Deadlines(const asio::any_io_executor& executor) : timer_(executor) {}

  private:
    friend class Expiring;
    void wake();
    void sweep();
    void go_on();
    void go_on_later(std::chrono::microseconds delay);

    asio::steady_timer timer_;
    Expiring* first_ = nullptr;
    Expiring* upcoming_ = nullptr;  // of a sweep: the one to look at next
    bool running_ = false;          // the timer, or a sweep
    bool wanted_ = false;           // during a sweep: there is something for the next one
};

}  // namespace routerd
