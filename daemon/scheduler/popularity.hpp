#pragma once

#include "common/base/time.hpp"

namespace routerd::scheduler {

/// How often a model was asked for lately: a request counts 1, and half as much every ten minutes.
class Popularity {
  public:
    void add(TimePoint now) noexcept;

    /// The chance that it is asked for within the next minute, were requests independent of
    /// each other and as frequent as lately (a Poisson process).
    double chance_of_return(TimePoint now) const noexcept;

  private:
    double count_at(TimePoint now) const noexcept;

    double count_ = 0;
    TimePoint at_;  // when count_ was true
};

}  // namespace routerd::scheduler
