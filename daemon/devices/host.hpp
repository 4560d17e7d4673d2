#pragma once

#include "daemon/devices/cgroup.hpp"
#include "daemon/devices/device.hpp"

namespace routerd {

/// The machine's memory (/proc/meminfo), or what the tightest cgroup lets this process have of it.
/// Never fails: an unreadable meminfo is the reading's error.
DeviceReading read_host(const Roots& roots);

}  // namespace routerd
