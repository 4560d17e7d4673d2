#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <span>

#include "daemon/net/block_pool.hpp"
#include "daemon/net/deadlines.hpp"
#include "daemon/net/lender.hpp"
#include "daemon/net/net.hpp"
#include "daemon/net/page_block.hpp"
#include "daemon/net/poller.hpp"

namespace routerd {

/// What the connections of one event loop share. Outlives them; used on that loop's thread only.
class IoLoop {
  public:
    explicit IoLoop(const asio::any_io_executor& executor)
        : executor_(executor), poller_(executor), deadlines_(poller_) {}

    const asio::any_io_executor& executor() const noexcept { return executor_; }
    Poller& poller() noexcept { return poller_; }
    Deadlines& deadlines() noexcept { return deadlines_; }

    BlockPool& blocks() noexcept { return blocks_; }
    PagePool& pages() noexcept { return pages_; }
    Lender& lender() noexcept { return lender_; }

    /// A place to read into for whoever has the loop's turn: what is in it is gone when that one
    /// waits. So a connection that waits holds no buffer.
    std::span<char> scratch() noexcept { return *scratch_; }

    /// Runs `work` after this turn, for what nobody waits for: a few with each turn, and of many
    /// the first when other processes have had theirs. Not where the loop ends before.
    void put_away(std::function<void()> work);

  private:
    void put_away_some();

    static constexpr std::size_t scratch_size = 64U << 10U;  // bytes

    asio::any_io_executor executor_;
    Poller poller_;
    Deadlines deadlines_;
    BlockPool blocks_;
    PagePool pages_;
    Lender lender_;
    std::unique_ptr<std::array<char, scratch_size>> scratch_ =
        std::make_unique<std::array<char, scratch_size>>();
    std::deque<std::function<void()>> put_away_;
    bool puts_away_ = false;
};

}  // namespace routerd
