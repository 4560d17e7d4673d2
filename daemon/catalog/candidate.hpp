#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "daemon/catalog/model.hpp"
#include "daemon/catalog/stamp.hpp"

namespace routerd {

/// A file that may be a model or a part of one, before anybody looked inside.
struct Candidate {
    std::string path;  ///< absolute
    FileStamp stamp;
    Source source = Source::directory;
    std::size_t place = 0;  ///< the order of the configured directories and stores
    bool linked = false;
    bool unfinished = false;  ///< its companion files say that it is being downloaded

    std::string stem;    ///< what the id is made of; split suffix left out; empty: the file's own
    std::string parent;  ///< what tells it from others of the same stem; empty: its folder's name
    std::string repo;    ///< "org/repo" of a hub store
    std::vector<std::string> aliases;
    std::string config_id;              ///< of [model."id"] path; empty otherwise
    std::string projector;              ///< mmproj file that its store names
    std::vector<std::string> adapters;  ///< that its store says belong to it
};

}  // namespace routerd
