#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <sched.h>

#include "common/base/time.hpp"

namespace routerd {

/// What one thread has had of the processors since it began.
struct ProcessorTime {
    std::chrono::nanoseconds ran{0};
    std::chrono::nanoseconds waited{0};  ///< able to run, for others to leave a processor
    std::uint64_t times = 0;             ///< that it was given one
};

/// From the text of /proc/PID/task/TID/schedstat (Linux, Documentation/scheduler/sched-stats.rst);
/// nullopt for any other.
std::optional<ProcessorTime> processor_time_in(std::string_view schedstat);

/// Of the calling thread; nullopt: the system keeps no such figures, or there is no descriptor to
/// read them by.
std::optional<ProcessorTime> own_processor_time() noexcept;

/// Whether a loop that is woken interrupts who runs on its processor, as is usual (SCHED_OTHER), or
/// is polite: lets that one go on until it waits or its slice ends (SCHED_BATCH, see sched(7)). The
/// latter halves what a request costs where those who wake each other have little to do: none is
/// interrupted, to be taken up on another processor. But behind programs that compute all the time,
/// as a model server without a graphics processor, a polite loop comes late. So it is polite at
/// first, and pauses with that when it had to wait although it ran little itself.
/// A function of what it is told.
class WakeChoice {
  public:
    /// `total` is the loop's, now; calls are `look_every` apart at least. Whether it is to be
    /// polite from now on.
    bool is_polite(TimePoint now, const ProcessorTime& total) noexcept;

    static constexpr std::chrono::seconds look_every{1};
    static constexpr std::chrono::seconds first_pause{8};  ///< then twice as long each time
    static constexpr std::chrono::seconds longest_pause{64};
    static constexpr std::chrono::microseconds longest_wait{500};  ///< the mean of a second
    static constexpr std::uint64_t fewest_times = 10;              ///< in a second, to go by
    static constexpr int busy_share = 4;  ///< a loop that runs a quarter of the time is busy itself

  private:
    enum class Waits { unknown, no, yes };
    Waits waits(TimePoint now, const ProcessorTime& total) const noexcept;

    bool polite_ = false;
    TimePoint looked_at_;
    ProcessorTime last_;
    TimePoint impolite_until_ = TimePoint::min();
    std::chrono::seconds pause_ = first_pause;  // the next
};

/// Keeps to a WakeChoice for the thread of one loop, where the system lets it: it leaves a thread
/// alone that has another policy than the usual one from elsewhere. Used on that thread only.
class WakePolicy {
  public:
    using Source = std::optional<ProcessorTime> (*)() noexcept;
    using Yield = int (*)() noexcept;

    /// `source`: what it goes by; `yield`: sched_yield().
    explicit WakePolicy(Source source = own_processor_time, Yield yield = ::sched_yield) noexcept
        : source_(source), yield_(yield) {}

    /// With each turn: looks once in `look_every`, by three system calls.
    void on_turn(TimePoint now) noexcept {
        if (now >= next_look_) {
            look(now);
        }
    }

    /// Between two things that are no hurry: a polite loop lets those run first who were woken
    /// meanwhile and are to run on its processor, where they would else wait for milliseconds. It
    /// stops doing so for `no_way` when it is not given the processor back by `longest_way`: who
    /// has it computes all the time.
    void give_way() noexcept;
    static constexpr std::chrono::milliseconds longest_way{1};
    static constexpr std::chrono::seconds no_way{8};

  private:
    void look(TimePoint now) noexcept;
    bool be(bool polite) noexcept;

    Source source_;
    Yield yield_;
    TimePoint stays_until_ = TimePoint::min();
    TimePoint next_look_ = TimePoint::min();
    WakeChoice choice_;
    bool polite_ = false;
};

/// Whether threads of this process may be polite, and so a program that it starts would be: it is
/// to be started with SCHED_OTHER. Any thread.
bool has_polite_threads() noexcept;

}  // namespace routerd
