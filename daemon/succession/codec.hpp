#pragma once

#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

#include "common/base/result.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/net/listener.hpp"
#include "daemon/proxy/account.hpp"
#include "daemon/supervisor/legacy.hpp"

namespace routerd::succession {

/// What a daemon and its successor tell each other, as JSON. Both are of one kind but perhaps not
/// of one version: what is not known is left alone, what is missing is what it is by default. Time
/// points are of the machine's monotonic clock, which both share. The readers throw
/// nlohmann::json::exception for what has the wrong type.
constexpr int protocol = 1;  ///< of another number nothing is taken over

nlohmann::json to_json(const Error& error);
Error error_from(const nlohmann::json& json);

nlohmann::json to_json(const Demand& demand);
Demand demand_from(const nlohmann::json& json);

nlohmann::json to_json(const LeaseReport& report);
LeaseReport report_from(const nlohmann::json& json);

nlohmann::json to_json(const Result<Granted>& outcome);
Result<Granted> outcome_from(const nlohmann::json& json);

nlohmann::json to_json(const Ticket::Progress& progress);
Ticket::Progress progress_from(const nlohmann::json& json);

nlohmann::json to_json(const Admission& admission);
Admission admission_from(const nlohmann::json& json);

nlohmann::json to_json(const Record& record);
/// Its route is empty: that is a view into the other's table.
Record record_from(const nlohmann::json& json);

nlohmann::json to_json(const ListenAddress& address);
ListenAddress address_from(const nlohmann::json& json);

nlohmann::json to_json(const Legacy::Held& held);
Legacy::Held held_from(const nlohmann::json& json);

}  // namespace routerd::succession
