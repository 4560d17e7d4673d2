#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/catalog/candidate.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd {

/// One model as the disk has it, before configuration and users have their say.
struct FoundModel {
    std::string id;
    std::string stem;    ///< what the id was made of
    std::string parent;  ///< of the file
    Source source = Source::directory;
    std::size_t place = 0;
    std::string config_id;
    std::vector<std::string> files;  ///< first part first
    std::vector<std::string> aliases;
    std::string repo;
    std::string mmproj;
    bool mmproj_sees = false;                         ///< the projector has a vision encoder
    std::shared_ptr<const gguf::Metadata> projector;  ///< of `mmproj`, where it was read
    std::vector<std::string> adapters;
    std::uint64_t size_bytes = 0;
    std::int64_t modified_ns = 0;
    /// Of the whole set: sums over its parts. Shared with the header cache where there is one part.
    std::shared_ptr<const gguf::Metadata> metadata;
};

/// What one scan gave.
struct Found {
    std::vector<FoundModel> models;  ///< by id
    std::vector<BrokenFile> broken;  ///< by path
    bool unsettled = false;       ///< something is being written or could not be read: look again
    std::size_t fingerprint = 0;  ///< differs when anything above does
};

}  // namespace routerd
