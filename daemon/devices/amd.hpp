#pragma once

#include <vector>

#include <sys/types.h>

#include "daemon/devices/cgroup.hpp"
#include "daemon/devices/device.hpp"

namespace routerd {

/// AMD GPUs as the amdgpu driver shows them in /sys/class/drm, in the order of PCI addresses, each
/// with its own error. Of `pids` (our servers: only a process's owner may look) it tells what they
/// hold, from the DRM figures in /proc/PID/fdinfo (kernel: drm-usage-stats). Blocks shortly.
std::vector<DeviceReading> read_amd(const Roots& roots, const std::vector<pid_t>& pids);

}  // namespace routerd
