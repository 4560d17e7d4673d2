#include "daemon/net/io_loop.hpp"

#include <utility>

#include <boost/asio/post.hpp>

namespace routerd {
namespace {

constexpr std::size_t few = 8;

}  // namespace

void IoLoop::put_away(std::function<void()> work) {
    put_away_.push_back(std::move(work));
    if (std::exchange(puts_away_, true)) {
        return;
    }
    asio::post(executor_, [this] {
        if (put_away_.size() > few) {
            poller_.give_way();  // whoever was told of it hears it now, where all share a processor
        }
        put_away_some();
    });
}

void IoLoop::put_away_some() {
    for (std::size_t i = 0; i < few && !put_away_.empty(); ++i) {
        const auto work = std::move(put_away_.front());
        put_away_.pop_front();
        work();
    }
    puts_away_ = !put_away_.empty();
    if (puts_away_) {
        asio::post(executor_, [this] { put_away_some(); });
    }
}

}  // namespace routerd
