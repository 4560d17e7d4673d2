#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <sys/types.h>

#include "common/base/result.hpp"
#include "common/base/unique_fd.hpp"
#include "daemon/process/exit_status.hpp"
#include "daemon/process/identity.hpp"

namespace routerd {

/// One running server process: our child, or one that a daemon before us started. Move-only. The
/// destructor kills it (its whole process group) and reaps it, so that an early return leaves none
/// behind; release() lets it live on. Used on the core loop.
class Child {
  public:
    struct Program {
        std::vector<std::string> argv;         ///< argv[0] is the path of the file
        std::vector<std::string> environment;  ///< all of it, "NAME=value"
        int log_fd = -1;                       ///< stdout and stderr; the child gets a copy
    };

    /// Starts it in a session of its own with default signals, stdin from /dev/null and no other
    /// descriptors. It is not tied to our life, dumps no core, and is preferred by the OOM killer
    /// over us. Errors: load_failed with what the system said and what that means here.
    static Result<Child> spawn(const Program& program);

    /// Takes over a process that is not our child. Errors: not_found when it is not that very
    /// process any more.
    static Result<Child> adopt(const ProcessIdentity& identity);

    Child(Child&&) noexcept = default;
    Child& operator=(Child&&) noexcept;
    ~Child();

    pid_t pid() const noexcept { return identity_.pid; }
    const ProcessIdentity& identity() const noexcept { return identity_; }
    bool adopted() const noexcept { return adopted_; }

    /// To the whole process group. Nothing happens when the process has ended.
    void signal(int signal) const noexcept;

    /// Completes when the process has ended; kills what is left of its group and reaps it. At most
    /// once, and it must not outlive this. Errors: cancelled, when the caller is or it was let go;
    /// the process lives on then.
    boost::asio::awaitable<Result<ExitStatus>> wait();

    /// Lets go of the process: it is neither killed nor reaped by us.
    void release() noexcept { pidfd_.reset(); }

  private:
    Child(ProcessIdentity identity, UniqueFd pidfd, UniqueFd watch, bool adopted) noexcept;
    ExitStatus reap() noexcept;
    void kill_and_reap() noexcept;

    ProcessIdentity identity_;
    UniqueFd pidfd_;  // readable when it has ended; empty once reaped, released or moved from
    UniqueFd watch_;  // wait()'s own copy of it, so that it never lacks a descriptor
    bool adopted_ = false;
};

}  // namespace routerd
