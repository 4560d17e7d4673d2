#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/estimate/launch.hpp"

namespace routerd::llama {

/// What a llama-server started with these arguments will do to memory: reads them as the server
/// does (the last of two counts) and fills in its defaults. Values that the server would refuse are
/// passed over. `gpus` is left empty and `lora_bytes` 0: the caller knows the devices and the
/// files. `own_words`: how many of the last arguments the user wrote.
LaunchParameters launch_parameters(const std::vector<std::string>& arguments,
                                   std::size_t own_words = 0);

/// Whether a variable of this name decides what GPUs a server sees, or stands for an argument that
/// does.
bool places_models(std::string_view variable);

/// Whether the daemon's own environment, which servers inherit, limits the GPUs that they see. An
/// empty list is no limit here: then the server lists no GPUs.
bool daemon_places_models();

}  // namespace routerd::llama
