#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/catalog/found.hpp"
#include "daemon/catalog/headers.hpp"
#include "daemon/catalog/identity.hpp"
#include "daemon/catalog/places.hpp"

namespace routerd {

/// What to scan, as plain values: the scan runs on a pool thread.
struct ScanPlan {
    std::vector<Place> places;
    std::vector<std::pair<std::string, std::string>> files;  ///< [model."id"] path: id, path
    KnownIds known;
    std::string again;  ///< files below this folder are read even if they did not change
    /// Called with each folder before it is read, to watch it; may be empty.
    std::function<void(const std::string&)> on_folder;
};

/// Looks at everything that the plan names and reads the headers that `headers` does not know.
/// Blocks, for as long as the disk takes.
Found scan(const ScanPlan& plan, Headers& headers);

}  // namespace routerd
