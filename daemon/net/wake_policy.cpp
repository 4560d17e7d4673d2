#include "daemon/net/wake_policy.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "common/base/log.hpp"
#include "common/base/number.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

constexpr auto never = TimePoint::max();

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): is told to who starts
// programs
std::atomic<bool> some_are_polite = false;

}  // namespace

std::optional<ProcessorTime> processor_time_in(std::string_view schedstat) {
    if (schedstat.ends_with('\n')) {
        schedstat.remove_suffix(1);
    }
    std::array<std::int64_t, 3> numbers{};
    for (auto& number : numbers) {
        const auto end = schedstat.find(' ');
        const auto found = number_in<std::int64_t>(schedstat.substr(0, end));
        const bool is_last = &number == &numbers.back();
        if (!found || *found < 0 || is_last != (end == std::string_view::npos)) {
            return std::nullopt;
        }
        number = *found;
        schedstat.remove_prefix(is_last ? schedstat.size() : end + 1);
    }
    return ProcessorTime{.ran = std::chrono::nanoseconds(numbers[0]),
                         .waited = std::chrono::nanoseconds(numbers[1]),
                         .times = static_cast<std::uint64_t>(numbers[2])};
}

std::optional<ProcessorTime> own_processor_time() noexcept {
    const UniqueFd file(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
    std::array<char, 100> text{};
    const auto size = file ? ::read(file.get(), text.data(), text.size()) : -1;
    return size > 0 ? processor_time_in({text.data(), static_cast<std::size_t>(size)})
                    : std::nullopt;
}

WakeChoice::Waits WakeChoice::waits(TimePoint now, const ProcessorTime& total) const noexcept {
    const auto time = now - looked_at_;
    const auto times = total.times - last_.times;
    const bool is_busy = (total.ran - last_.ran) * busy_share > time;
    if (time >= 2 * look_every || times < fewest_times || is_busy) {
        return Waits::unknown;
    }
    return (total.waited - last_.waited) / times > longest_wait ? Waits::yes : Waits::no;
}

bool WakeChoice::is_polite(TimePoint now, const ProcessorTime& total) noexcept {
    const auto found = polite_ ? waits(now, total) : Waits::unknown;
    if (found == Waits::yes) {
        impolite_until_ = now + pause_;
        pause_ = std::min(2 * pause_, longest_pause);
    } else if (found == Waits::no) {
        pause_ = first_pause;
    }
    looked_at_ = now;
    last_ = total;
    polite_ = now >= impolite_until_;
    return polite_;
}

void WakePolicy::look(TimePoint now) noexcept {
    const bool is_first = next_look_ == TimePoint::min();
    next_look_ = never;
    if (is_first && ::sched_getscheduler(0) != SCHED_OTHER) {
        return;
    }
    const auto total = source_();
    if (be(total && choice_.is_polite(now, *total))) {
        next_look_ = now + WakeChoice::look_every;
    }
}

bool WakePolicy::be(bool polite) noexcept {
    if (polite == polite_) {
        return true;
    }
    const sched_param none{};
    if (::sched_setscheduler(0, polite ? SCHED_BATCH : SCHED_OTHER, &none) != 0) {
        spdlog::debug("set how this thread is woken: {}, leaving it as it is",
                      std::generic_category().message(errno));
        return false;
    }
    polite_ = polite;
    some_are_polite = true;
    spdlog::debug("woken, this loop {}", polite ? "lets others go on until they wait"
                                                : "interrupts others: it had to wait for them");
    return true;
}

void WakePolicy::give_way() noexcept {
    if (!polite_) {
        return;
    }
    const auto began = steady_now();
    if (began < stays_until_) {
        return;
    }
    yield_();
    const auto now = steady_now();
    if (now - began > longest_way) {
        stays_until_ = now + no_way;
    }
}

bool has_polite_threads() noexcept {
    return some_are_polite;
}

}  // namespace routerd
