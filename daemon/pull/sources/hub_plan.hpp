#pragma once

#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/pull/choice.hpp"
#include "daemon/pull/plan.hpp"
#include "daemon/pull/repository_file.hpp"
#include "daemon/pull/sources/hub_listing.hpp"

namespace routerd::pull {

/// A repository at one commit.
struct HubListing {
    std::string repo;    ///< "org/repo"
    std::string commit;  ///< 40 hexadecimal digits
    std::vector<RepositoryFile> files;
};

/// Chooses among the files of a repository, and says where each is and where it goes. Pure. Errors:
/// those of choose_files(), invalid_request (more files than one pull takes).
Result<Plan> plan_of(HubListing listing, const HubAddresses& addresses, const Wanted& wanted);

}  // namespace routerd::pull
