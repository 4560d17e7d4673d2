#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace routerd::ctl {

/// JSON without a space, whatever bytes its strings hold.
inline std::string one_line(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace routerd::ctl
