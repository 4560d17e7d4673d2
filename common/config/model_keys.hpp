#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"

namespace routerd {

/// The keys of [model."id"] as text: what `routerctl set` takes, the store keeps and `show` prints.
/// Text of a list is a JSON array; when set, also words as a shell splits them (args) or parts
/// between commas (the rest). `set` and `env` have a key for each name: "set.temperature",
/// "env.OMP_NUM_THREADS".
///
/// Errors: invalid_request (an unknown key, with the nearest one; a bad value, with what is
/// wanted; a key that only a configuration file may have).
Result<void> set_model_key(ModelConfig& config, std::string_view key, std::string_view text);

/// Makes `key` absent; "set" and "env" alone remove all names. Errors: invalid_request.
Result<void> unset_model_key(ModelConfig& config, std::string_view key);

/// Every key that is there, in the order of the table; set_model_key() reads each text back that
/// not only a configuration file may have.
std::vector<std::pair<std::string, std::string>> model_config_to_texts(const ModelConfig& config);

/// `base` with everything that `over` says in its place; `set` and `env` are merged by name.
ModelConfig overlay(const ModelConfig& base, const ModelConfig& over);

/// The names of all keys, in the order of the table.
std::vector<std::string> model_key_names();

}  // namespace routerd
