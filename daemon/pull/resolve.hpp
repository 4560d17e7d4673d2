#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/api/pull.hpp"
#include "common/base/result.hpp"
#include "common/config/paths.hpp"
#include "common/config/schema.hpp"
#include "daemon/net/net.hpp"
#include "daemon/pull/plan.hpp"
#include "daemon/pull/reference.hpp"
#include "daemon/transfer/origin_policy.hpp"
#include "daemon/transfer/transfers.hpp"

namespace routerd::pull {

/// What references are resolved by.
struct Sources {
    PullConfig config;
    Environment environment;
    std::optional<std::uint64_t> memory_budget;  ///< bytes that a model may be large; null: any
};

/// Which origins this pull may speak to. Errors: invalid_request (the configuration, the URL).
Result<transfer::OriginPolicy> policy_for(const Sources& sources, const Reference& reference,
                                          bool insecure);

/// The token for the hub: that of the request, else the configured one, else the one that the hub's
/// own programs keep. Empty: there is none, or it is not for this source. Blocks.
std::string token_for(const Sources& sources, const Reference& reference,
                      const std::optional<std::string>& requested);

/// Asks the source what `request` stands for. `id`: of the transfers, to stop it. Errors: those of
/// resolve_hub() and resolve_ollama(), invalid_request.
asio::awaitable<Result<Plan>> resolve(transfer::Transfers& transfers, std::uint64_t id,
                                      Sources sources, api::PullRequest request, std::string token);

/// Where files of the hub go: its own programs' cache.
std::string hub_cache_folder(const Environment& environment);

}  // namespace routerd::pull
