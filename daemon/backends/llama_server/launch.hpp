#pragma once

#include <string>
#include <vector>

#include "daemon/estimate/launch.hpp"

namespace routerd::llama {

/// What a llama-server started with these arguments will do to memory: reads them as the server
/// does (the last of two counts) and fills in its defaults. Values that the server would refuse are
/// passed over. `gpus` is left empty and `lora_bytes` 0: the caller knows the devices and the
/// files.
LaunchParameters launch_parameters(const std::vector<std::string>& arguments);

}  // namespace routerd::llama
