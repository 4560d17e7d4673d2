#include "daemon/control/control.hpp"

#include <utility>

#include "daemon/supervisor/fleet.hpp"

namespace routerd {

Control::Control(Services services)
    : services_(std::move(services)), tasks_(services_.executor, "control task") {
    services_.fleet.on_change([this] { fleet_changed_.tell(); });
}

asio::awaitable<void> Control::stop() {
    tasks_.cancel();
    co_await tasks_.wait();
}

}  // namespace routerd
