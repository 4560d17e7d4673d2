#pragma once

#include <cstdint>

#include "common/base/time.hpp"

namespace routerd::transfer {

/// How many connections one file is worth: more of them as long as they bring more, and no more
/// than that. Pure: told what came and when, it says how many there should be.
class ConnectionCount {
  public:
    explicit ConnectionCount(unsigned most);

    unsigned wanted() const noexcept { return wanted_; }

    void set_most(unsigned most);

    /// `received`: bytes since the beginning; `running`: connections that bring some now. Call it
    /// every 50 ms or so.
    void observe(std::uint64_t received, unsigned running, TimePoint now);

  private:
    void begin_round(std::uint64_t received, TimePoint now);
    void judge(double rate, TimePoint now);

    unsigned most_;
    unsigned wanted_;
    unsigned best_ = 0;     // what brought best_rate_; 0: nothing was measured yet
    double best_rate_ = 0;  // bytes a second
    TimePoint round_;       // when it began to be measured; the epoch: not yet
    std::uint64_t received_ = 0;
    TimePoint held_until_;
};

}  // namespace routerd::transfer
