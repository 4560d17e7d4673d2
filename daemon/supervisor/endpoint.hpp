#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.hpp"
#include "daemon/gate/gate.hpp"

namespace routerd {

/// The socket of server number `id` in `folder`, "FOLDER/ID-MODEL.sock" with the model's name cut
/// to what fits. Errors: load_failed when the folder's own name leaves no room (a socket's path has
/// 107 bytes).
Result<std::string> socket_path(const std::string& folder, std::uint64_t id,
                                const std::string& model);

/// Removes a socket that nobody serves any more. Errors: load_failed when something else is there.
Result<void> remove_stale_socket(const std::string& path);

/// A TCP port of 127.0.0.1 that is free now. Errors: load_failed.
Result<std::uint16_t> free_port();

/// `name` as one component of a path: what is not a letter, digit, '.', '_' or '-' becomes %XX.
std::string file_name_of(const std::string& name);

}  // namespace routerd
