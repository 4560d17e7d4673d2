#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daemon/pull/repository_file.hpp"

namespace routerd::pull {

/// One model of a repository in one quantization: a file, or all files of a split set.
struct Variant {
    std::string path;          ///< folder and name without part and suffix: "Q4_K_M/qwen3-Q4_K_M"
    std::string quantization;  ///< "Q4_K_M", "UD-Q4_K_XL"; upper-case; empty: its name has none
    std::map<std::uint32_t, RepositoryFile> parts;  ///< by number, from 1
    std::uint32_t count = 1;                        ///< parts that the names speak of

    std::uint64_t bytes() const;  ///< of all parts; those of unknown size count as 0
    /// Numbers of the parts that are not there, at most a few: "2, 3"; empty: it is whole.
    std::string missing() const;
    std::vector<RepositoryFile> files() const;  ///< in their order
};

/// All models of a repository, by path. Projectors, importance matrices and drafts for speculation
/// are none.
std::vector<Variant> variants_of(const std::vector<RepositoryFile>& files);

/// A GGUF file with "mmproj" in its name.
bool is_projector_name(std::string_view path);

std::string upper_case(std::string_view text);  ///< ASCII

/// The projector that goes with a model at `model`: of the same folder or one above it, of the same
/// family where names tell, F16 first, then BF16, then Q8_0. nullptr: there is none.
const RepositoryFile* projector_for(const std::vector<RepositoryFile>& files,
                                    std::string_view model);

}  // namespace routerd::pull
