#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/scheduler/priority.hpp"

namespace routerd {

/// Where a model's server can be reached.
struct Endpoint {
    std::string unix_path;   ///< empty when TCP
    std::uint16_t port = 0;  ///< on 127.0.0.1; 0 when a Unix socket
    /// "unix:/run/…/x.sock" or "127.0.0.1:9001", for people.
    std::string text() const;
};

/// What a request asks of the gate.
struct Demand {
    std::string model;       ///< id
    std::string request_id;  ///< for events and `why`
    Priority priority = Priority::normal;
    TimePoint deadline = TimePoint::max();  ///< refused with deadline_exceeded when still waiting
    std::string key;  ///< name of the key that it came with: keys share a model's slots fairly
    std::uint64_t conversation = 0;  ///< requests of one conversation have the same; 0: of none
    bool needs_slot = true;  ///< false for what does not run the model: /tokenize, /props, …
};

/// How an answer went, as far as the server is concerned.
enum class Answered {
    whole,
    late,     ///< it did not begin in time; a long prompt can be why
    stalled,  ///< it began, and nothing came any more
};

class Fleet;

/// The right to use one slot of one ready instance; given back by the destructor. Core loop only.
class Lease {
  public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

    const Endpoint& endpoint() const noexcept { return endpoint_; }
    std::uint64_t instance() const noexcept { return instance_; }
    std::chrono::milliseconds queued() const noexcept { return queued_; }  ///< waited in all
    std::chrono::milliseconds loaded() const noexcept { return loaded_; }  ///< of it for the load

    /// Called at most once, from the loop, when the instance is gone while the lease is held: the
    /// connection to it can only fail. Not called after the lease is given back.
    void on_instance_gone(std::function<void()> callback);

    /// Why the instance ended, for the error the client gets; empty while it lives.
    std::string instance_end() const;

  private:
    friend class Fleet;
    friend class Ticket;
    Lease(Fleet& fleet, std::uint64_t ticket, std::uint64_t instance, Endpoint endpoint) noexcept;

    Fleet* fleet_;
    std::uint64_t ticket_;
    std::uint64_t instance_;
    Endpoint endpoint_;
    std::chrono::milliseconds queued_{0};
    std::chrono::milliseconds loaded_{0};
};

/// One request's place in the queue. Made by Fleet::request(); the destructor leaves the queue and
/// gives back a grant that was not taken. It must not outlive the Fleet. Core loop only.
class Ticket {
  public:
    enum class Phase { queued, loading };
    struct Progress {
        Phase phase = Phase::queued;
        std::size_t position = 0;                ///< from 1, among those waiting for the model
        std::optional<unsigned> loaded_percent;  ///< where the server says so
    };

    Ticket(Ticket&&) noexcept;
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket();

    /// Granted, refused or cancelled: take() will not wait.
    bool settled() const noexcept;

    /// Waits until settled or until `deadline`; true when settled.
    asio::awaitable<bool> wait_until(TimePoint deadline);

    /// The client went away: leaves the queue at once and settles with Errc::cancelled. The model's
    /// load goes on.
    void cancel();

    Progress progress() const;

    /// Once, when settled. Errors: queue_full, load_failed, quarantined, would_not_fit,
    /// deadline_exceeded, shutting_down, cancelled, not_found.
    Result<Lease> take();

    struct State;

  private:
    friend class Fleet;
    explicit Ticket(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace routerd
