#include "daemon/net/deadlines.hpp"

#include <algorithm>
#include <chrono>

#include "daemon/net/turn_time.hpp"

namespace routerd {
namespace {

constexpr std::chrono::milliseconds tick_length(250);
// Between two that have passed: what follows (an answer, a close) takes a tenth of a millisecond,
// so that thousands at once slow down others a little for seconds, and never stop them for one.
constexpr std::chrono::milliseconds pause(1);
constexpr std::size_t share = 4096;           // of so many, one more is told between two pauses
constexpr unsigned looked_at_at_once = 2048;  // then others have their turn

/// How many have ended; the clock begins with the machine, so that they fit for decades.
std::uint32_t ticks_until(TimePoint time) {
    return static_cast<std::uint32_t>(time.time_since_epoch() / tick_length);
}

void take_out(DeadlineLink& link) noexcept {
    link.previous->next = link.next;
    link.next->previous = link.previous;
    link.previous = link.next = &link;
}

/// Moves all of `from` to the end of `to`.
void splice(DeadlineLink& from, DeadlineLink& to) noexcept {
    if (from.next == &from) {
        return;
    }
    from.next->previous = to.previous;
    to.previous->next = from.next;
    from.previous->next = &to;
    to.previous = from.previous;
    from.previous = from.next = &from;
}

}  // namespace

Expiring::~Expiring() {
    if (tick_ != 0) {
        list_.remove(*this);
        if (list_.count_ == 0) {  // an idle loop has nothing to wake for, a stopping one ends
            list_.poller_.cancel_alarm();
            list_.alarm_tick_ = Deadlines::never;
        }
    }
}

void Expiring::set_deadline(TimePoint deadline) {
    deadline_ = deadline;
    if (deadline != TimePoint::max()) {
        list_.add(*this);
    }
}

void Deadlines::add(Expiring& entry) {
    if (count_ == 0) {
        swept_ = ticks_until(turn_now());
    }
    put(entry);
}

/// Where it is looked at when its deadline has passed, or before.
void Deadlines::put(Expiring& entry) {
    const auto wanted = std::int64_t{entry.deadline_.time_since_epoch() / tick_length} + 1;
    const std::int64_t swept = swept_;
    const auto tick =
        static_cast<std::uint32_t>(std::clamp(wanted, swept + 1, swept + std::int64_t{rings} - 1));
    if (entry.tick_ != 0 && entry.tick_ <= tick) {
        return;
    }
    remove(entry);
    auto& ring = wheel_.at(tick % rings);
    entry.previous = ring.previous;
    entry.next = &ring;
    ring.previous->next = &entry;
    ring.previous = &entry;
    entry.tick_ = tick;
    ++count_;
    if (tick < alarm_tick_) {
        alarm_tick_ = tick;
        poller_.set_alarm(*this, TimePoint(tick_length * std::int64_t{tick}));
    }
}

void Deadlines::remove(Expiring& entry) noexcept {
    if (entry.tick_ != 0) {
        take_out(entry);
        entry.tick_ = 0;
        --count_;
    }
}

void Deadlines::on_alarm() {
    alarm_tick_ = 0;  // what is put now sets none: that comes below
    sweep();
    if (tell_some()) {
        wait_for_next();
    } else {
        poller_.set_alarm(*this, turn_now() + pause);
    }
}

void Deadlines::sweep() {
    const auto now = ticks_until(turn_now());
    const auto last = std::min<std::uint64_t>(now, std::uint64_t{swept_} + rings);
    for (std::uint64_t tick = std::uint64_t{swept_} + 1; tick <= last; ++tick) {
        splice(wheel_.at(tick % rings), due_);
    }
    swept_ = std::max(swept_, now);
}

/// Of those that are due. True: of all.
bool Deadlines::tell_some() {
    const auto now = turn_now();
    const auto most = 1 + count_ / share;
    std::size_t told = 0;
    for (unsigned looked_at = 0; due_.next != &due_; ++looked_at) {
        auto& entry = static_cast<Expiring&>(*due_.next);
        const bool has_passed = entry.deadline_ <= now;
        if ((has_passed && told == most) || looked_at == looked_at_at_once) {
            return false;
        }
        remove(entry);
        if (has_passed) {
            ++told;
            entry.deadline_ = TimePoint::max();
            entry.on_deadline();
        } else if (entry.deadline_ != TimePoint::max()) {
            put(entry);
        }
    }
    return true;
}

void Deadlines::wait_for_next() {
    alarm_tick_ = never;
    for (std::uint32_t tick = swept_ + 1; tick < swept_ + rings && count_ > 0; ++tick) {
        const auto& ring = wheel_.at(tick % rings);
        if (ring.next != &ring) {
            alarm_tick_ = tick;
            poller_.set_alarm(*this, TimePoint(tick_length * std::int64_t{tick}));
            return;
        }
    }
}

}  // namespace routerd
