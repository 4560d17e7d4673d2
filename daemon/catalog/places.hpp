#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/config/paths.hpp"
#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"

namespace routerd {

/// A folder that is searched.
struct Place {
    Source source = Source::directory;
    std::string path;  ///< absolute, without '/' at its end
};

/// The configured directories, then the folders of the configured stores, in this order. They need
/// not exist. A relative directory counts from the home directory.
std::vector<Place> places(const ModelsConfig& models, const Environment& environment);

/// Files that [model."id"] tables name by path: id and absolute path.
std::vector<std::pair<std::string, std::string>> configured_files(const Config& config,
                                                                  const Environment& environment);

}  // namespace routerd
