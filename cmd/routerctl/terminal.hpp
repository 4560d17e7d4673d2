#pragma once

#include <iosfwd>

namespace routerd::ctl {

/// Where a command reads and writes: the process's own streams, or a test's.
struct Terminal {
    std::ostream& out;
    std::ostream& err;
    int in_fd = 0;
    int err_fd = -1;  ///< to ask for the size of the terminal; -1: none
    bool in_is_tty = false;
    bool out_is_tty = false;
    bool err_is_tty = false;
};

}  // namespace routerd::ctl
