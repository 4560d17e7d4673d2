#pragma once

#include <cstdint>

#include "common/base/time.hpp"

namespace routerd::transfer {

/// So many bytes a second, and at most a tenth of a second's worth at once. Pure. What is taken may
/// exceed what is there; then nothing may be taken before that is paid back.
class TokenBucket {
  public:
    /// 0: no limit.
    void set_rate(std::uint64_t bytes_per_second, TimePoint now);

    bool may_take(TimePoint now);
    void take(std::uint64_t bytes) noexcept;

    /// When may_take() is true again; `now` or earlier: it is.
    TimePoint due(TimePoint now);

  private:
    void refill(TimePoint now);

    std::uint64_t rate_ = 0;
    double level_ = 0;  // bytes; negative: owed
    TimePoint filled_;
};

}  // namespace routerd::transfer
