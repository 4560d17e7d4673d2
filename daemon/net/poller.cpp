#include "daemon/net/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

namespace routerd {
namespace {

constexpr unsigned always = EPOLLIN | EPOLLRDHUP | EPOLLET;

int make_set() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    }
    return fd;
}

void control(int set, int operation, int fd, unsigned events, Poller::Watched& watched) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &watched;
    if (::epoll_ctl(set, operation, fd, &event) != 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

}  // namespace

Poller::Poller(const asio::any_io_executor& executor) : set_(executor, make_set()) {}

void Poller::add(int fd, Watched& watched) {
    control(set_.native_handle(), EPOLL_CTL_ADD, fd, always, watched);
    ++watched_;
    arm();
}

void Poller::want_output(int fd, Watched& watched, bool wanted) {
    control(set_.native_handle(), EPOLL_CTL_MOD, fd, wanted ? always | EPOLLOUT : always, watched);
}

void Poller::remove(int fd, Watched& watched) noexcept {
    ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
    forget(watched);
    if (--watched_ == 0) {
        boost::system::error_code ignored;  // a loop with nothing to watch may end
        set_.cancel(ignored);
    }
}

void Poller::forget(const Watched& watched) noexcept {
    for (auto& event : batch_) {
        if (event.data.ptr == &watched) {
            event.data.ptr = nullptr;
        }
    }
    std::ranges::replace(again_, const_cast<Watched*>(&watched), nullptr);
    std::ranges::replace(told_again_, const_cast<Watched*>(&watched), nullptr);
}

void Poller::again(Watched& watched) {
    again_.push_back(&watched);
    arm();
}

void Poller::arm() {
    if (std::exchange(armed_, true)) {
        return;
    }
    if (!again_.empty()) {
        asio::post(set_.get_executor(), [this] { turn(); });
        return;
    }
    set_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [this](const boost::system::error_code& /*cancelled*/) { turn(); });
}

void Poller::turn() {
    now_ = steady_now();
    tells_ = true;
    const int count = ::epoll_wait(set_.native_handle(), events_.data(), batch_size, 0);
    batch_ = std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
    told_again_.swap(again_);
    while (!batch_.empty()) {
        const auto event = batch_.front();
        batch_ = batch_.subspan(1);
        if (event.data.ptr != nullptr) {
            static_cast<Watched*>(event.data.ptr)->on_io(event.events);
        }
    }
    for (std::size_t i = 0; i < told_again_.size(); ++i) {
        if (auto* watched = told_again_[i]) {
            watched->on_io(EPOLLIN);
        }
    }
    told_again_.clear();
    tells_ = armed_ = false;
    if (watched_ > 0) {
        arm();
    }
}

}  // namespace routerd
