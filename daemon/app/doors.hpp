#pragma once

#include <vector>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/net/listener.hpp"

namespace routerd {

/// Where the daemon is to be reached: the control socket and the public addresses. What the service
/// manager handed over takes the place of what the configuration names: a socket called "control",
/// or at the control socket's path, of that one, and all others together of [http] listen.
class Doors {
  public:
    /// Takes what was handed over (take_handed_over()) and reads the addresses; opens nothing.
    /// Errors: invalid_request.
    static Result<Doors> plan(const Config& config);

    /// Nobody beyond this machine can come in.
    bool loopback_only() const noexcept { return loopback_only_; }

    struct Open {
        std::vector<Listener> control;
        std::vector<Listener> everybody;
    };
    /// Once. Errors: those of Listener::open().
    Result<Open> open(IoLoop& loop);

  private:
    std::vector<HandedOver> handed_control_;
    std::vector<HandedOver> handed_public_;
    ListenAddress control_;
    std::vector<ListenAddress> public_;  ///< none where some were handed over
    bool loopback_only_ = true;
};

}  // namespace routerd
