#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/api/event.hpp"
#include "common/base/time.hpp"
#include "daemon/scheduler/action.hpp"
#include "daemon/scheduler/reason.hpp"
#include "daemon/supervisor/reports.hpp"
#include "daemon/supervisor/wait.hpp"

namespace routerd {

/// The newest decisions about models and requests, for `routerctl why`. They are kept as data and
/// become sentences when somebody asks. What is kept has limits, whatever names clients send: 256
/// decisions for each of at most 4096 models, 4096 requests that came through at once, 4096 that
/// waited or were refused, and those that wait now. A value that is told things; core loop.
class DecisionLog {
  public:
    /// When something was decided, and its place among all decisions.
    struct Stamp {
        std::uint64_t number = 0;
        WallTime time;
    };

    /// The place of what is decided now: each is used once.
    Stamp stamp();

    /// Who asks.
    struct Asker {
        std::string request;  ///< id; empty: a load that a person or the daemon asked for
        std::string model;    ///< id
        Stamp came;
    };

    /// Something happened to a server. Kept for its model, and for the one that its detail "other"
    /// names.
    void add(const api::Event& event);

    /// Granted as soon as it came: the cheap case.
    void passed(std::string_view request, std::string_view model, Stamp came,
                std::uint64_t instance);

    /// It has to wait. One of the three below follows for its ticket.
    void waits(scheduler::TicketId ticket, const Asker& asker, Wait wait);
    void granted(const scheduler::Grant& grant);
    void left(scheduler::TicketId ticket);       ///< the client went away
    void cancelled(scheduler::TicketId ticket);  ///< somebody said `queue cancel`

    /// After waits(), or as soon as it came.
    void refused(scheduler::TicketId ticket, const Asker& asker, scheduler::Reason reason);

    /// The oldest first; of the requests those that did not come through at once, the newest 256
    /// decisions. Empty when nothing is known of it.
    std::vector<Decision> about_model(const std::string& model) const;

    /// The oldest first, with those about its model while it waited, the newest 256. All requests
    /// that came under this id count. Empty when there is none.
    std::vector<Decision> about_request(const std::string& request) const;

  private:
    using Decisions = std::deque<Decision>;

    /// A request that was granted at once.
    struct Passed {
        Asker asker;
        std::uint64_t instance = 0;
    };

    /// A request that waits, waited, or was refused.
    struct Waited {
        enum class End { none, granted, refused, left, cancelled };
        Asker asker;
        std::optional<Wait> wait;  ///< nullopt: refused as it came
        End end = End::none;
        Stamp ended;
        std::uint64_t instance = 0;
        std::chrono::milliseconds queued{0};
        std::chrono::milliseconds loaded{0};
        scheduler::Reason reason;  ///< of a refusal
    };

    Decisions& of_model(const std::string& model);
    Waited* open(scheduler::TicketId ticket);
    void close(scheduler::TicketId ticket, Waited& waited, Waited::End end);
    void add_meanwhile(const Waited& waited, std::map<std::uint64_t, Decision>& found) const;

    static Decision decision_of(const Passed& passed);
    static void add_decisions(const Waited& waited, std::map<std::uint64_t, Decision>& found);

    std::uint64_t last_number_ = 0;
    std::map<std::string, Decisions> models_;
    std::vector<Passed> passed_;  ///< a ring
    std::size_t next_passed_ = 0;
    std::map<scheduler::TicketId, Waited> waited_;
    std::deque<scheduler::TicketId> closed_;  ///< of those, the ones that ended, in that order
};

}  // namespace routerd
