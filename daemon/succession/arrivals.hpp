#pragma once

#include "common/base/result.hpp"
#include "daemon/http/connection.hpp"
#include "daemon/succession/link.hpp"

namespace routerd::succession {

/// A client's connection, without TLS, as a packet: its socket, and what was received already in a
/// file in memory. Errors: unavailable.
Result<Packet> to_packet(Arrival arrival);

/// Whether he may use the control socket is for the caller to say. Errors: unavailable.
Result<Arrival> arrival_from(Packet packet);

}  // namespace routerd::succession
