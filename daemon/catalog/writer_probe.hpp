#pragma once

#include "common/base/time.hpp"
#include "daemon/catalog/stamp.hpp"

namespace routerd {

/// SIGIO would end the process if another program opened a file for writing in the moment that
/// writer_probe() holds a lease on it. Call once at start, before the first probe.
void ignore_lease_signal() noexcept;

/// Whether somebody may still be writing the regular file that `fd` reads: the kernel refuses a
/// read lease on a file that is open for writing. Where there are no leases (foreign owner, network
/// file system) a file counts as being written until its mtime is 2 s old.
bool is_being_written(int fd, const FileStamp& stamp, WallTime now) noexcept;

}  // namespace routerd
