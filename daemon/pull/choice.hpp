#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/pull/repository_file.hpp"

namespace routerd::pull {

/// What somebody wants of a repository. At most one of the first three says something; when none
/// does, the choice is ours.
struct Wanted {
    std::string tag;                      ///< a quantization in any case, or a file's name
    std::string file;                     ///< path of one file, or of one part of a set
    std::vector<std::string> include;     ///< globs: exactly what matches
    std::optional<std::uint64_t> budget;  ///< bytes that the files of a model may have to fit
};

struct Choice {
    std::vector<RepositoryFile> files;  ///< parts of models in their order, then what is else
    std::string quantization;           ///< upper-case; empty: the names say none, or several
    std::vector<std::string> notes;     ///< what was chosen, and why; a sentence each
};

/// Chooses among the files of a repository: what is wanted, else Q4_K_M, else what is nearest to it
/// of all that fits; all parts of a split set, and its projector. Pure.
/// Errors: not_found, with what there is; invalid_request (a glob that is too long).
Result<Choice> choose_files(const std::vector<RepositoryFile>& files, const Wanted& wanted);

}  // namespace routerd::pull
