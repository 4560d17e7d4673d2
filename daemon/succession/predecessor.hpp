#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/gate/gate_desk.hpp"
#include "daemon/http/connection.hpp"
#include "daemon/net/listener.hpp"
#include "daemon/proxy/account.hpp"
#include "daemon/succession/link.hpp"
#include "daemon/supervisor/legacy.hpp"

namespace routerd {

/// The routerd that started this one in its own place: what it leaves, and what it still asks for
/// while it answers the requests that it had.
class Predecessor {
  public:
    explicit Predecessor(UniqueFd link);
    ~Predecessor();
    Predecessor(const Predecessor&) = delete;
    Predecessor& operator=(const Predecessor&) = delete;

    struct Inheritance {
        UniqueFd lock;  ///< of the state directory
        std::vector<HandedOver> listeners;
        std::vector<Legacy::Held> held;  ///< its requests that run
    };

    /// Says that this process can take over, and waits for it: blocks, before there is a loop.
    /// Errors: unavailable, deadline_exceeded; the other goes on then.
    Result<Inheritance> take_over(const std::string& state_dir);

    /// Says why it cannot: before serve().
    void refuse(const Error& why) const;

    struct Services {
        asio::any_io_executor executor;
        Gate& gate;                               ///< outlives it
        std::function<void(Arrival)> serve;       ///< connections that are passed on
        std::function<void(std::string)> load;    ///< models that somebody wanted loaded
        std::function<void(std::string)> unload;  ///< models that somebody wanted unloaded
        /// Requests that it has answered, with the pattern of their route.
        std::function<void(Record, const std::string& route)> account;
    };

    /// Tells it that connections which come are answered here now, and answers it until it is gone.
    /// `inherited`: tickets for Inheritance::held.
    asio::awaitable<void> serve(Services services,
                                std::vector<std::pair<std::uint64_t, Ticket>> inherited);

    /// Its requests that run or wait; 0 when it is gone.
    std::size_t requests() const noexcept;

    /// Ends serve().
    asio::awaitable<void> close();

  private:
    struct Inside;
    UniqueFd socket_;  ///< until serve()
    std::unique_ptr<Inside> inside_;
};

}  // namespace routerd
