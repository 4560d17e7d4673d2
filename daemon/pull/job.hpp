#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "common/api/pull.hpp"
#include "daemon/net/net.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/pull/plan.hpp"
#include "daemon/pull/pulls.hpp"
#include "daemon/pull/resolve.hpp"
#include "daemon/pull/shared_file.hpp"
#include "daemon/store/pulls.hpp"

namespace routerd::pull {

/// One pull, from its reference to its model. Core loop; owned by Pulls.
class Job {
  public:
    enum class Stop {
        none,
        pause,     ///< somebody said so
        shutdown,  ///< the next process goes on with it
    };

    Job(Pulls& pulls, PullRow row);
    ~Job();

    const PullRow& row() const noexcept { return row_; }
    const api::PullRequest& request() const noexcept { return request_; }
    bool is_running() const noexcept { return running_; }
    bool is_active() const noexcept { return row_.state == "active"; }

    api::Pull view() const;

    /// As an event, with the pull's number and reference.
    void tell(const std::string& type, const std::string& message) const;

    /// Carries it out until it ends or is stopped; in a task. `patient`: it was under way before,
    /// so its origin exists.
    asio::awaitable<void> run(bool patient);

    /// Asks run() to return; wait_stopped() says when it has.
    void stop(Stop why);
    asio::awaitable<void> wait_stopped();

    asio::awaitable<Result<void>> save_state(std::string state, const Error* why);
    void use(const api::PullChange& change);
    void use_token(const std::string& token);

    /// Paths of the files that it brings, absolute, as SharedFile has them; empty before its source
    /// has answered.
    std::vector<std::string> paths() const;
    std::string root() const;
    const std::optional<Plan>& plan() const noexcept { return plan_; }

  private:
    struct File {
        SharedFile* shared = nullptr;  ///< while it is on its way
        FileView view;                 ///< as it was last
    };

    asio::awaitable<Result<void>> carry_out(bool patient);
    asio::awaitable<Result<void>> make_plan(bool patient);
    asio::awaitable<Result<void>> bring_all(bool patient);
    asio::awaitable<void> bring_next(bool patient);
    asio::awaitable<Result<void>> bring(std::size_t index, bool patient);
    Result<FileOrder> order_of(std::size_t index, bool patient) const;
    asio::awaitable<Result<void>> check_room() const;
    asio::awaitable<Result<void>> adopt();
    asio::awaitable<void> settle(const std::string& model);
    asio::awaitable<void> end(const Result<void>& done);
    asio::awaitable<Result<void>> save();

    Sources sources() const;
    bool uses_hub_cache() const;
    std::string path_below_root(const RemoteFile& file) const;
    std::string shown_path(const RemoteFile& file) const;
    std::uint64_t limit_rate() const;
    std::uint64_t rate_of_one() const;
    void limit_files();
    void changed();

    Pulls& pulls_;
    PullRow row_;
    api::PullRequest request_;
    std::optional<Plan> plan_;
    std::vector<File> files_;
    std::vector<std::string> notes_;  // beside the plan's
    Reference reference_;             // while it runs
    std::string token_;               // the same
    std::uint64_t transfer_ = 0;      // that asks the source
    std::size_t next_file_ = 0;
    std::optional<Error> failed_;  // the first of its files that did
    Stop stop_ = Stop::none;
    bool running_ = false;
    asio::steady_timer stopped_;
    Signal retry_;  // waits between tries of the source
};

}  // namespace routerd::pull
