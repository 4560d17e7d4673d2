#pragma once

#include <vector>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/http/server.hpp"
#include "daemon/net/listener.hpp"

namespace routerd {

/// One address at which the daemon is to be reached.
struct Door {
    ListenAddress address;
    bool is_control = false;
    bool operator==(const Door&) const = default;
};

/// Where the daemon is to be reached: the control socket and the public addresses. What the service
/// manager handed over takes the place of what the configuration names: a socket called "control",
/// or at the control socket's path, of that one, and all others together of [http] listen.
class Doors {
  public:
    /// Reads the addresses; opens nothing. `handed`: what take_handed_over() gave, or what the
    /// routerd before leaves, which may have opened some itself. Errors: invalid_request.
    static Result<Doors> plan(const Config& config, std::vector<HandedOver> handed);

    /// Nobody beyond this machine can come in.
    bool loopback_only() const noexcept { return loopback_only_; }

    struct Open {
        std::vector<Listener> control;
        std::vector<Listener> everybody;
    };
    /// Once. Errors: those of Listener::open().
    Result<Open> open(IoLoop& loop);

    /// As it would be with another configuration: the service manager's sockets stay. Errors:
    /// invalid_request.
    Result<Doors> changed_to(const Config& config) const;

    /// Opens at `server` what `next` has more than this and closes what it has not; what both have
    /// stays as it is, with its connections. Errors: those of Listener::open(); nothing is changed
    /// then.
    Result<void> change(IoLoop& loop, Server& server, const Doors& next) const;

  private:
    std::vector<HandedOver> handed_control_;  ///< until open()
    std::vector<HandedOver> handed_public_;
    std::vector<HandedOver> inherited_;  ///< that a routerd opened, until open()
    bool has_handed_control_ = false;
    bool has_handed_public_ = false;
    bool handed_are_loopback_ = true;
    std::vector<Door> own_;  ///< that it opens by itself
    bool loopback_only_ = true;

    Result<void> read(const Config& config);
    std::vector<HandedOver> take_wanted();
};

}  // namespace routerd
