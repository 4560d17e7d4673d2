#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "common/base/unique_fd.hpp"
#include "daemon/net/poller.hpp"

namespace routerd::test {

/// So many of whom a poller tells rarely that those who are new may wait. None has anything to say.
class RareCrowd {
  public:
    explicit RareCrowd(Poller& poller) {
        for (std::size_t i = 0; i < Poller::crowd; ++i) {
            ones_.emplace_back(poller, UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
        }
    }

  private:
    class One final : public Poller::Watched {
      public:
        One(Poller& poller, UniqueFd silent) : poller_(poller), silent_(std::move(silent)) {
            poller_.add(silent_.get(), *this);
            EXPECT_TRUE(poller_.watch_rarely(silent_.get(), *this, true));
        }
        One(const One&) = delete;
        One& operator=(const One&) = delete;
        ~One() { poller_.remove(silent_.get(), *this); }

      private:
        void on_io(unsigned /*events*/) override { ADD_FAILURE() << "told without a reason"; }

        Poller& poller_;
        UniqueFd silent_;
    };

    std::deque<One> ones_;
};

}  // namespace routerd::test
