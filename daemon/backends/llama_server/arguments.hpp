#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/backends/backend.hpp"
#include "daemon/catalog/model.hpp"

namespace routerd::llama {

/// All but argv[0]: what the router decides first, then [llama_server] args, then the model's own
/// (llama-server takes the last of two). Errors: load_failed when the user's arguments take over
/// what the router must decide (where it listens, its name, the model file). A decided plan stands
/// in the place of the settings' devices and GPU layers.
Result<std::vector<std::string>> arguments(const Model& model, const Config& config,
                                           const ListenAt& listen, const DevicePlan& plan);

/// How many of the last arguments are the user's.
std::size_t own_words(const Model& model, const Config& config);

/// Variables that say which GPUs there are for the server, and number them as Device::id does.
void add_visibility(std::map<std::string, std::string>& environment, const DevicePlan& plan);

/// The last value that the user's arguments give for a number, by its short or long name.
std::optional<unsigned> user_number(const Model& model, const Config& config,
                                    std::string_view short_name, std::string_view long_name);

}  // namespace routerd::llama
