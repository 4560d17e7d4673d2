#pragma once

namespace routerd::ctl {

/// Makes Ctrl-C (SIGINT) and SIGTERM readable instead of deadly: at the first of either the
/// descriptor becomes readable and stays so until clear(). A second one while it is readable ends
/// the process, so that a command that hangs can still be ended. One at a time.
class Interrupt {
  public:
    Interrupt();  ///< installs the handlers; without them where the system has no descriptor left
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// For poll(); -1 when there is none.
    int fd() const noexcept;
    bool raised() const noexcept;
    void clear() noexcept;
};

}  // namespace routerd::ctl
