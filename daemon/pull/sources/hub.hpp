#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/pull/documents.hpp"
#include "daemon/pull/plan.hpp"
#include "daemon/pull/reference.hpp"
#include "daemon/pull/sources/hub_listing.hpp"

namespace routerd::pull {

struct HubOptions {
    std::string endpoint = hub_endpoint;         ///< of the hub or a mirror; may have a path
    std::string token;                           ///< HF_TOKEN; empty: none
    std::vector<std::string> include;            ///< globs over the paths of the repository
    std::optional<std::uint64_t> memory_budget;  ///< bytes for the files of a model; null: no limit
};

/// Asks the hub which commit `reference` stands for and which files it has, and chooses among them.
/// A projector is planned beside its model, wherever the repository has it: the catalogue pairs the
/// files of one folder. Errors: forbidden (no access, or the policy), not_found, upstream_error,
/// invalid_request (the endpoint), and those of Documents.
asio::awaitable<Result<Plan>> resolve_hub(Documents& documents, HubReference reference,
                                          HubOptions options);

}  // namespace routerd::pull
