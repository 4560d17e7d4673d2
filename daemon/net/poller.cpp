#include "daemon/net/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>

#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

constexpr std::size_t worth_joining = 2;  // events
// Events that are set aside; what comes beyond that is told with the others.
constexpr std::size_t most_patient = 256;
constexpr std::size_t patient_share = 64;  // of so many, one more is told in a turn
constexpr std::size_t rare_at_once = 64;
constexpr unsigned always = EPOLLIN | EPOLLRDHUP | EPOLLET;

UniqueFd make_set() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    }
    return UniqueFd(fd);
}

/// `who`: what is told of the descriptor.
bool try_control(int set, int operation, int fd, unsigned events, void* who) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.ptr = who;
    return ::epoll_ctl(set, operation, fd, &event) == 0;
}

void control(int set, int operation, int fd, unsigned events, void* who) {
    if (!try_control(set, operation, fd, events, who)) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

/// Whether `who` is among those that are told of something; then it is no more.
bool take_off(std::span<epoll_event>& batch, const void* who) noexcept {
    const auto found =
        std::ranges::find(batch, who, [](const auto& event) { return event.data.ptr; });
    if (found == batch.end()) {
        return false;
    }
    *found = batch.back();
    batch = batch.first(batch.size() - 1);
    return true;
}

}  // namespace

Poller::Poller(const asio::any_io_executor& executor, WakePolicy wake_policy)
    : executor_(executor),
      set_(make_set()),
      wait_(executor, *this),
      rare_set_(make_set()),
      wake_policy_(wake_policy) {
    // What these are told as is nobody's who is watched.
    control(set_.get(), EPOLL_CTL_ADD, wait_.asio_set(), EPOLLIN, this);
    control(set_.get(), EPOLL_CTL_ADD, rare_set_.get(), EPOLLIN | EPOLLONESHOT, &rare_set_);
}

void Poller::add(int fd, Watched& watched) {
    control(set_.get(), EPOLL_CTL_ADD, fd, always, &watched);
    ++watched_;
    stay_busy();
}

void Poller::stay_busy() {
    if (!busy_) {
        busy_.emplace(executor_);
    }
}

void Poller::set_alarm(Alarm& alarm, TimePoint when) {
    now_ = turn_now();
    alarm_ = &alarm;
    alarm_at_ = when;
    stay_busy();
}

/// Or the next look at those that are told rarely. In milliseconds; -1: there is none.
int Poller::until_alarm() const noexcept {
    using std::chrono::milliseconds;
    constexpr milliseconds longest = std::chrono::hours(1);  // then it looks again
    const auto next = std::min(alarm_at_, rare_at_);
    return next == TimePoint::max()
               ? -1
               : static_cast<int>(std::clamp(std::chrono::ceil<milliseconds>(next - now_),
                                             milliseconds(0), longest)
                                      .count());
}

void Poller::want_output(int fd, Watched& watched, bool wanted) {
    const auto events = wanted ? always | EPOLLOUT : always;
    if (!try_control(set_.get(), EPOLL_CTL_MOD, fd, events, &watched)) {
        control(rare_set_.get(), EPOLL_CTL_MOD, fd, events, &watched);
    }
}

bool Poller::watch_rarely(int fd, Watched& watched, bool wanted) noexcept {
    const auto& to = wanted ? rare_set_ : set_;
    const auto& from = wanted ? set_ : rare_set_;
    if (!try_control(to.get(), EPOLL_CTL_ADD, fd, always, &watched)) {
        return false;
    }
    ::epoll_ctl(from.get(), EPOLL_CTL_DEL, fd, nullptr);
    rare_ = wanted ? rare_ + 1 : rare_ - 1;
    return true;
}

void Poller::remove(int fd, Watched& watched) noexcept {
    if (::epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd, nullptr) != 0 &&
        ::epoll_ctl(rare_set_.get(), EPOLL_CTL_DEL, fd, nullptr) == 0) {
        --rare_;
    }
    forget(watched);
    --watched_;
}

void Poller::forget(const Watched& watched) noexcept {
    if (told_ == &watched) {
        told_ = nullptr;
    }
    for (auto& event : batch_) {
        if (event.data.ptr == &watched) {
            event.data.ptr = nullptr;
        }
    }
    for (auto& event : patient_) {
        if (event.data.ptr == &watched) {
            event.data.ptr = nullptr;
        }
    }
    std::ranges::replace(again_, const_cast<Watched*>(&watched), nullptr);
    std::ranges::replace(told_again_, const_cast<Watched*>(&watched), nullptr);
}

void Poller::again(Watched& watched) {
    again_.push_back(&watched);
    if (!tells_) {
        take_turn_soon();
    }
}

void Poller::take_turn_soon() {
    if (!std::exchange(turn_is_due_, true)) {
        asio::post(executor_, [this] {
            turn_is_due_ = false;
            take_turn();
        });
    }
}

Poller::Found Poller::wait(int timeout) {
    int alarm = until_alarm();
    if (alarm > 0 && timeout == 0) {  // a look in passing: turns may be rare
        now_ = steady_now();
        alarm = until_alarm();
    }
    if (watched_ == 0 && alarm < 0) {
        busy_.reset();  // a loop with nothing to wait for may end; not before it runs again
    }
    const bool is_for_alarm = alarm >= 0 && (timeout < 0 || alarm <= timeout);
    if (is_for_alarm) {
        timeout = alarm;
    }
    const int count = ::epoll_wait(set_.get(), events_.data(), batch_size, timeout);
    batch_ = std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
    Found found;
    found.asio = take_off(batch_, this);
    rare_is_ready_ = take_off(batch_, &rare_set_) || rare_is_ready_;
    found.own = !batch_.empty() || rare_is_ready_ || alarm == 0 || (is_for_alarm && count == 0);
    if (alarm > 0 && timeout > 0 && !found.own) {
        now_ = steady_now();  // the alarm has come nearer
    }
    return found;
}

/// Those that may wait, where there are others.
void Poller::set_aside() {
    if (batch_.size() + patient_.size() < 2) {
        return;
    }
    const auto waits = [this](const epoll_event& event) {
        const auto* watched = static_cast<const Watched*>(event.data.ptr);
        return watched != nullptr && (event.events & EPOLLOUT) == 0 &&
               (watched->may_wait() || (rare_ >= crowd && watched->is_new())) &&
               patient_.size() < most_patient;
    };
    std::size_t left = 0;
    for (auto& event : batch_) {
        if (waits(event)) {
            set_aside(event);
        } else {
            batch_[left++] = event;
        }
    }
    batch_ = batch_.first(left);
}

void Poller::set_aside(const epoll_event& event) {
    const auto same =
        std::ranges::find(patient_, event.data.ptr, [](const auto& one) { return one.data.ptr; });
    if (same != patient_.end()) {
        same->events |= event.events;
    } else {
        patient_.push_back(event);
    }
}

/// Those that are told rarely, where it is time for them.
void Poller::take_rare() {
    if (!std::exchange(rare_is_ready_, false) && rare_at_ > now_) {
        return;
    }
    std::array<epoll_event, rare_at_once> events{};
    const int count = ::epoll_wait(rare_set_.get(), events.data(), events.size(), 0);
    for (const auto& event :
         std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
        set_aside(event);
    }
    rare_at_ = count > 0 ? now_ + rarely : TimePoint::max();
    if (count <= 0) {
        control(set_.get(), EPOLL_CTL_MOD, rare_set_.get(), EPOLLIN | EPOLLONESHOT, &rare_set_);
    }
}

/// Some of those that were set aside.
void Poller::tell_patient() {
    if (patient_.empty()) {
        return;
    }
    send_now();  // the others are done, and need not wait for these
    wake_policy_.give_way();
    for (auto count = 1 + patient_.size() / patient_share; count > 0 && !patient_.empty();
         --count) {
        const auto event = patient_.front();
        patient_.pop_front();
        if (event.data.ptr != nullptr) {
            tell(*static_cast<Watched*>(event.data.ptr), event.events);
        }
    }
}

/// Reads for those that are about to be told. What they then read is in the cache, and what they
/// run stays there from one to the next.
void Poller::receive_early() {
    std::array<Watched*, IoBatch::capacity> whose{};
    std::array<int, IoBatch::capacity> results{};
    if (early_ == nullptr) {
        early_ = std::make_unique_for_overwrite<char[]>(IoBatch::capacity * early_room);
    }
    std::size_t count = 0;
    for (const auto& event : batch_) {
        auto* watched = static_cast<Watched*>(event.data.ptr);
        const bool has_input = watched != nullptr && (event.events & EPOLLIN) != 0;
        const int fd = has_input ? watched->wants_input_early() : -1;
        if (fd >= 0 && count < whose.size()) {
            const std::span room(early_.get() + count * early_room, early_room);
            joined_.receive(fd, room, results[count]);
            whose[count++] = watched;
        }
    }
    joined_.run();
    for (std::size_t i = 0; i < count; ++i) {
        whose[i]->on_input(static_cast<std::uint8_t>(i), results[i]);
    }
}

bool Poller::send_later(int fd, std::span<const asio::const_buffer> pieces, std::size_t size,
                        Watched& watched) {
    if (!joins_ || size > most_later) {
        return false;
    }
    if (later_.size() == later_count || later_used_ + size > later_room) {
        send_now();
    }
    if (later_bytes_ == nullptr) {
        later_bytes_ = std::make_unique_for_overwrite<char[]>(later_room);
    }
    auto* const begin = later_bytes_.get() + later_used_;
    for (const auto& piece : pieces) {
        if (piece.size() > 0) {
            std::memcpy(later_bytes_.get() + later_used_, piece.data(), piece.size());
            later_used_ += piece.size();
        }
    }
    later_.push_back({fd, {begin, size}, 0, &watched});
    return true;
}

void Poller::send_now() {
    for (auto& later : later_) {
        joined_.send(later.fd, later.bytes, later.result);
    }
    joined_.run();
    for (const auto& later : later_) {
        later.watched->on_sent(later.bytes, later.result);
    }
    later_.clear();
    later_used_ = 0;
}

void Poller::tell(Watched& watched, unsigned events) {
    told_ = &watched;
    watched.on_io(events);
    if (auto* const still_watched = std::exchange(told_, nullptr)) {
        still_watched->on_told();
    }
}

void Poller::take_turn() {
    now_ = steady_now();
    const TurnTime turn(now_);
    tells_ = true;
    told_again_.swap(again_);
    set_aside();
    take_rare();
    joins_ = batch_.size() >= worth_joining && joined_.is_joined();
    if (joins_) {
        receive_early();
    }
    while (!batch_.empty()) {
        const auto event = batch_.front();
        batch_ = batch_.subspan(1);
        if (event.data.ptr != nullptr) {
            tell(*static_cast<Watched*>(event.data.ptr), event.events);
        }
    }
    for (std::size_t i = 0; i < told_again_.size(); ++i) {
        if (auto* watched = told_again_[i]) {
            tell(*watched, EPOLLIN);
        }
    }
    told_again_.clear();
    tell_patient();
    if (alarm_at_ <= now_) {
        cancel_alarm();
        alarm_->on_alarm();
    }
    send_now();
    wake_policy_.on_turn(now_);
    joins_ = tells_ = false;
    if (!again_.empty() || !patient_.empty()) {
        take_turn_soon();
    }
}

}  // namespace routerd
