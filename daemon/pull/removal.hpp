#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace routerd {
struct Model;
struct Snapshot;
}  // namespace routerd

/// What takes files away. No link is followed below a root; all but files_of() blocks.
namespace routerd::pull {

/// A file that is to go.
struct Doomed {
    std::string root;   ///< may be reached through links
    std::string path;   ///< below it, and through none
    std::string shown;  ///< as others know it; absolute
};

struct RemovedFile {
    std::string path;         ///< as Doomed::shown
    std::uint64_t bytes = 0;  ///< none where the file has another name still
};

/// What is not whole, of a download.
struct Part {
    Doomed file;
    std::uint64_t bytes = 0;
};

/// What becomes of files outside the folder of downloads.
enum class Outside { refused, removed };

/// The model's files, absolute, without a projector that another model uses. Errors: forbidden
/// (they are Ollama's), conflict (another model has the same).
Result<std::vector<std::string>> files_of(const Snapshot& snapshot, const Model& model);

/// Where to take hold of each of `files`, which are absolute; what is not there is left out. `dir`:
/// the folder of downloads. Errors: forbidden (one is outside, wherever its path seems to lead),
/// unavailable.
Result<std::vector<Doomed>> take_aim(const std::string& dir, const std::vector<std::string>& files,
                                     Outside outside);

/// Removes them in that order, and the folders below each root that this leaves empty. Of a link
/// into the blobs of a hub's cache the blob goes too, when no other link leads to it and it is none
/// of `wanted` (absolute paths). Errors: conflict, unavailable; then what comes before is gone.
Result<std::vector<RemovedFile>> remove_all(const std::vector<Doomed>& doomed,
                                            const std::vector<std::string>& wanted);

/// Those below `dir`, by path, but for the parts of `wanted` (absolute paths of whole files).
/// Hidden folders are not looked into. Errors: unavailable.
Result<std::vector<Part>> find_parts(const std::string& dir,
                                     const std::vector<std::string>& wanted);

/// Of these files, `shown` being that of a whole one, the parts that are there.
std::vector<Part> parts_of(const std::vector<Doomed>& files);

/// But for those of `wanted`, as above. What is not there is no error. Errors: conflict,
/// unavailable.
Result<std::vector<RemovedFile>> remove_parts(const std::vector<Part>& parts,
                                              const std::vector<std::string>& wanted);

}  // namespace routerd::pull
