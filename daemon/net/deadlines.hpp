#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/time.hpp"
#include "daemon/net/poller.hpp"

namespace routerd {

class Deadlines;

/// A place in a ring of such; alone at first.
struct DeadlineLink {
    DeadlineLink* previous = this;
    DeadlineLink* next = this;
};

/// Something that may wait too long. A deadline that moves to a later time, or goes, is an
/// assignment: what becomes of it is seen when the earlier one has come. So a deadline per read
/// costs no timer, and one that is met is hardly ever looked at.
class Expiring : private DeadlineLink {
  public:
    explicit Expiring(Deadlines& list) noexcept : list_(list) {}
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
    TimePoint deadline_ = TimePoint::max();
    std::uint32_t tick_ = 0;  // at which it is looked at; 0: it is in no ring
};

/// All deadlines of one loop, by the quarter of a second in which they come: precise enough for
/// time-outs of seconds. At the end of each those are looked at that were set for it, and no
/// others; where none is set, nothing is done. When thousands pass at once, they are told one by
/// one with pauses, for the sake of the loop's other work: each millisecond one of 4,096 that there
/// are. Has its loop's alarm for itself. Outlives what is in it, and its poller outlives it.
class Deadlines final : private Poller::Alarm {
  public:
    explicit Deadlines(Poller& poller) noexcept : poller_(poller) {}
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;
    ~Deadlines() { poller_.cancel_alarm(); }

  private:
    friend class Expiring;
    void add(Expiring& entry);
    void put(Expiring& entry);
    void remove(Expiring& entry) noexcept;
    void on_alarm() override;
    void sweep();
    bool tell_some();
    void wait_for_next();

    // Later ones wait in the farthest ring, and move on from there.
    static constexpr std::uint32_t rings = 256;  // 64 s

    static constexpr std::uint32_t never = UINT32_MAX;

    Poller& poller_;
    std::array<DeadlineLink, rings> wheel_;  // by the last digits of the tick
    DeadlineLink due_;                       // whose tick has come
    std::size_t count_ = 0;                  // in any of these
    std::uint32_t swept_ = 0;                // the last tick that was looked for
    std::uint32_t alarm_tick_ = never;       // for which the alarm is set; 0: it comes before all
};

}  // namespace routerd
