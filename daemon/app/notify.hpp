#pragma once

#include <string_view>

namespace routerd {

/// Tells systemd (sd_notify(3): one datagram to $NOTIFY_SOCKET): "READY=1", "STATUS=…",
/// "STOPPING=1". Nothing happens where no service manager listens.
void notify_service_manager(std::string_view state) noexcept;

}  // namespace routerd
