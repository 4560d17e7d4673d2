#pragma once

#include <cstdint>
#include <variant>

#include "common/base/result.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/net/mailbox.hpp"

namespace routerd {

/// What a RemoteGate and its GateDesk tell each other. `ticket` is the RemoteGate's number.
namespace gate {

struct Ask {
    std::uint64_t ticket = 0;
    Demand demand;
};

/// The ticket or the lease of this number is no more.
struct Leave {
    std::uint64_t ticket = 0;
    LeaseReport report;
};

struct Settled {
    std::uint64_t ticket = 0;
    Result<Granted> outcome;
};

/// See Gate::on_closing_instance().
struct Closing {
    std::uint64_t instance = 0;
};

using ToDesk = std::variant<Ask, Leave>;
using FromDesk = std::variant<Settled, Closing>;

}  // namespace gate
}  // namespace routerd
