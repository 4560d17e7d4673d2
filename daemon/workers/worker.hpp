#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/http/server.hpp"
#include "daemon/proxy/account.hpp"

namespace routerd {

/// A loop and a thread of its own beside the core's, for connections and the requests to models
/// that come over them; everything else is the core's, and goes there with its connection. Made,
/// used and destroyed on the core loop.
class Worker {
  public:
    struct Services {
        asio::any_io_executor core;
        Gate& gate;                            ///< the core loop's
        const Routes& routes;                  ///< the core loop's, whole
        Authorize authorize;                   ///< called on this worker's thread
        std::function<void(Arrival)> pass_on;  ///< a connection that is the core's; called there
        Account::Sink account;                 ///< called on the core loop
    };

    /// Begins its thread. `services` outlive it.
    Worker(Services services, const Config& config, SnapshotPtr catalog);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    /// wait() must have returned, or nothing have been served.
    ~Worker();

    void serve(Arrival arrival);

    /// That it was given and has not seen the end of.
    std::size_t connections() const noexcept;
    /// Requests being answered now.
    std::size_t active() const noexcept;

    void apply(const Config& config);
    void set_catalog(SnapshotPtr catalog);
    /// Who may come in, from the next request on; called on this worker's thread.
    void use(Authorize authorize);

    /// As the Server's. `successor` is called on the core loop.
    void drain();
    void hand_over(std::function<void(Arrival)> successor);
    void cut_own();
    void cut();
    asio::awaitable<void> wait();

    /// Returns when its loop has taken a turn; never where it hangs.
    asio::awaitable<void> take_turn();

  private:
    struct Inside;
    std::size_t given_ = 0;
    std::unique_ptr<Inside> inside_;
};

}  // namespace routerd
