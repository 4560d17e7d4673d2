#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/instance.hpp"
#include "common/api/model.hpp"
#include "common/api/profile.hpp"
#include "common/api/request.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/catalog/profile.hpp"
#include "daemon/supervisor/instance_view.hpp"

namespace routerd {

class Fleet;
struct RequestRow;

/// How the control API shows what the rooms have. `model` is one of `snapshot`.
api::ModelSummary to_summary(const Model& model, const Snapshot& snapshot, const Fleet& fleet);

/// Without the chat template, which the catalogue does not keep.
api::Model to_model(const Model& model, const Snapshot& snapshot, const Fleet& fleet);

api::Instance to_instance(const InstanceView& view);

/// Those that have a server now: one entry for each server.
std::vector<std::string> running_models(const Fleet& fleet);

api::RequestEntry to_entry(const RequestRow& row);

/// A page of at most `limit`, newest first.
api::RequestList to_list(const std::vector<RequestRow>& rows, std::size_t limit);

api::Profile to_profile(const Profile& profile);
Profile from_profile(const api::Profile& profile);

/// "huggingface", "llama.cpp": as [models] stores names them.
std::string_view to_string(Source source) noexcept;

/// "completion", "vision", …
std::vector<std::string> capability_names(const Capabilities& capabilities);

/// Tokens of one slot: as configured, else as trained.
std::uint64_t context_of(const Model& model) noexcept;

}  // namespace routerd
