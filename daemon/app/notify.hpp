#pragma once

#include <chrono>
#include <string_view>

namespace routerd {

/// Tells systemd (sd_notify(3): one datagram to $NOTIFY_SOCKET): "READY=1", "STATUS=…",
/// "STOPPING=1". Nothing happens where no service manager listens.
void notify_service_manager(std::string_view state) noexcept;

/// How long a service manager waits for a sign of life before it takes us for hung
/// (sd_watchdog_enabled(3)); zero where none does. Read once, before there are threads.
std::chrono::microseconds watchdog_limit();

}  // namespace routerd
