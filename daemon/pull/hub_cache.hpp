#pragma once

#include <string>

#include "common/base/result.hpp"
#include "daemon/pull/plan.hpp"

namespace routerd::pull {

/// The layout in which the hub's own programs keep files (huggingface_hub, "Understand caching"):
///     models--ORG--REPO/blobs/SHA256
///     models--ORG--REPO/snapshots/COMMIT/FILE -> ../../blobs/SHA256
///     models--ORG--REPO/refs/main             the commit
/// Whether all of the plan can be kept so: what has no SHA-256 has no name there.
bool fits_hub_cache(const Plan& plan);

/// Where the bytes of a file of the plan go, below the cache.
std::string hub_blob_path(const Plan& plan, const RemoteFile& file);

/// Where it is found by name, below the cache.
std::string hub_snapshot_path(const Plan& plan, const RemoteFile& file);

/// Names the plan's blobs, which are there, in the snapshot of its commit. Blocks. Errors: conflict
/// (something else has a name), unavailable.
Result<void> link_hub_snapshot(const std::string& cache, const Plan& plan);

}  // namespace routerd::pull
