#pragma once

#include <cstdint>

#include <sys/types.h>

namespace routerd {

/// Every socket that listens on this TCP port of 127.0.0.1 or of all addresses belongs to `pid`:
/// nobody else can answer there. False also when nobody listens or /proc does not say.
bool only_listener_is(pid_t pid, std::uint16_t port);

}  // namespace routerd
