#pragma once

#include <string>
#include <vector>

#include "common/api/status.hpp"
#include "common/config/schema.hpp"

namespace routerd {

/// What `routerctl doctor` can look at without asking a room: sockets, folders, disk, limits,
/// libraries of GPUs. Blocks; for the pool.
std::vector<api::Check> check_surroundings(const Config& config);

api::Check passed(std::string name, std::string message);
api::Check warned(std::string name, std::string message, std::string hint);
api::Check failed(std::string name, std::string message, std::string hint);

}  // namespace routerd
