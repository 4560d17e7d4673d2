#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/gate/rate_limiter.hpp"
#include "daemon/gate/remote_server.hpp"
#include "daemon/net/signal.hpp"
#include "daemon/scheduler/priority.hpp"

namespace routerd {

/// Where a model's server can be reached.
struct Endpoint {
    std::string unix_path;   ///< empty when TCP
    std::uint16_t port = 0;  ///< on 127.0.0.1; 0 when a Unix socket or elsewhere
    std::shared_ptr<const RemoteServer> remote = nullptr;  ///< elsewhere; nullptr: here
    /// "unix:/run/…/x.sock", "127.0.0.1:9001" or its URL, for people.
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
    bool needs_slot = true;   ///< false for what does not run the model: /tokenize, /props, …
    bool is_limited = false;  ///< by [rate_limit]: what the administrator asks is not
};

/// How an answer went, as far as the server is concerned.
enum class Answered {
    whole,
    late,     ///< it did not begin in time; a long prompt can be why
    stalled,  ///< it began, and nothing came any more
};

/// When something last came from a server. Any thread.
class SignOfLife {
  public:
    void note(TimePoint at) noexcept {
        at_.store(at.time_since_epoch().count(), std::memory_order_relaxed);
    }
    TimePoint last() const noexcept {
        return TimePoint(TimePoint::duration(at_.load(std::memory_order_relaxed)));
    }

  private:
    std::atomic<TimePoint::rep> at_ = 0;
};

/// A ready server as those know it who use it: shared by its instance and all leases on it.
struct ModelServer {
    explicit ModelServer(Endpoint at) : endpoint(std::move(at)) {}
    const Endpoint endpoint;
    SignOfLife heard;  ///< bytes of an answer: one that is late to be asked is not dead
};

/// What a request was given.
struct Granted {
    std::uint64_t instance = 0;
    std::shared_ptr<ModelServer> server;  ///< that instance's; never null
    std::chrono::milliseconds queued{0};  ///< waited in all
    std::chrono::milliseconds loaded{0};  ///< of it for the load
};

/// What the user of a slot says of its server when it gives the slot back.
struct LeaseReport {
    std::optional<Answered> answered;  ///< empty: nothing was asked, or the client left
    std::optional<double> tokens_per_second;
    std::uint64_t tokens = 0;  ///< of prompt and answer, as far as they are known
};

class Gate;

/// The right to use one slot of one ready instance; given back by the destructor. Used on the loop
/// of the Gate that it came from.
class Lease {
  public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();

    const Granted& granted() const noexcept { return granted_; }
    const Endpoint& endpoint() const noexcept { return granted_.server->endpoint; }
    std::uint64_t instance() const noexcept { return granted_.instance; }
    std::chrono::milliseconds queued() const noexcept { return granted_.queued; }
    std::chrono::milliseconds loaded() const noexcept { return granted_.loaded; }

    /// For the server's health and speed; said when the lease is given back.
    LeaseReport report;

    /// Why the instance ended, for the error the client gets; waits up to `grace` for its end, as a
    /// broken connection is seen before it. Empty: it lives.
    asio::awaitable<std::string> end_within(std::chrono::milliseconds grace) const;

  private:
    friend class Ticket;
    Lease(Gate& gate, std::uint64_t ticket, Granted granted) noexcept
        : gate_(&gate), ticket_(ticket), granted_(std::move(granted)) {}

    Gate* gate_;
    std::uint64_t ticket_;
    Granted granted_;
};

/// One request's place in the queue. Made by Gate::request(); the destructor leaves the queue and
/// gives back a grant that was not taken. It must not outlive the Gate, and is used on its loop.
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

    /// `callback` is called once, from the loop, when it is settled, and may destroy the ticket.
    /// Not for one that is settled already.
    void on_settled(std::function<void()> callback);

    /// The client went away: leaves the queue at once and settles with Errc::cancelled. The model's
    /// load goes on.
    void cancel();

    /// While it waits.
    asio::awaitable<Progress> progress() const;

    /// Once, when settled. Errors: queue_full, load_failed, quarantined, would_not_fit,
    /// deadline_exceeded, shutting_down, cancelled, not_found.
    Result<Lease> take();

    struct State;
    explicit Ticket(std::unique_ptr<State> state) noexcept;

  private:
    std::unique_ptr<State> state_;
};

/// The way from requests to the models' servers: the fleet itself on the core loop, a RemoteGate on
/// any other. Used on its own loop only.
class Gate {
  public:
    /// Counts a request of this key (its name).
    virtual asio::awaitable<Admission> admit(std::string key) = 0;

    /// A place in the model's queue, which loads it when it is not. Never fails: what is wrong
    /// settles the ticket.
    virtual Ticket request(const Demand& demand) = 0;

    /// Of these models (ids, at least one) the least busy that is loaded, else the first: its
    /// index.
    virtual asio::awaitable<std::size_t> least_busy(std::vector<std::string> models) = 0;

    /// Called on the loop, with the instance, just before a server is told to end and when it ended
    /// by itself: idle connections to it must be closed now (llama-server waits for them).
    virtual void on_closing_instance(std::function<void(std::uint64_t)> callback) = 0;

    // What tickets and leases ask of it.
    virtual void leave(std::uint64_t ticket) = 0;  ///< it waits no more
    virtual void release(std::uint64_t ticket, std::uint64_t instance,
                         const LeaseReport& report) = 0;
    virtual asio::awaitable<Ticket::Progress> progress(std::uint64_t ticket) = 0;
    virtual asio::awaitable<std::string> end_of(std::uint64_t instance,
                                                std::chrono::milliseconds grace) = 0;

  protected:
    ~Gate() = default;
};

}  // namespace routerd
