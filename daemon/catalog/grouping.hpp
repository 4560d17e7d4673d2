#pragma once

#include <vector>

#include "daemon/catalog/candidate.hpp"
#include "daemon/catalog/found.hpp"
#include "daemon/catalog/headers.hpp"

namespace routerd {

/// A candidate and what its header says.
struct ReadFile {
    Candidate file;
    Header header;
};

/// Puts files together to models: the parts of a split set become one, a projector (mmproj) goes to
/// the models it fits, adapters and other companions are no models. What cannot be offered is in
/// `broken` with its reason. Ids are left empty. Pure.
Found group_files(std::vector<ReadFile> files);

}  // namespace routerd
