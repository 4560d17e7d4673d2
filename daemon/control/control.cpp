#include "daemon/control/control.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "daemon/supervisor/fleet.hpp"

namespace routerd {

Control::Control(Services services)
    : services_(std::move(services)), tasks_(services_.executor, "control task") {
    services_.fleet.on_change([this] { fleet_changed_.tell(); });
}

asio::awaitable<void> Control::finish(TimePoint deadline) {
    constexpr auto look_again = std::chrono::milliseconds(20);
    asio::steady_timer pause(services_.executor);
    while (tasks_.size() > 0 && steady_now() < deadline) {
        pause.expires_after(look_again);
        co_await pause.async_wait(no_throw);
    }
}

asio::awaitable<void> Control::stop() {
    tasks_.cancel();
    co_await tasks_.wait();
}

}  // namespace routerd
