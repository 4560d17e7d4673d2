#pragma once

#include <cstdint>

namespace routerd::scheduler {

using TicketId = std::uint64_t;    ///< one request
using InstanceId = std::uint64_t;  ///< one server

}  // namespace routerd::scheduler
