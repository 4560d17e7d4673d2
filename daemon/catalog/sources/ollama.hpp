#pragma once

#include <string>
#include <vector>

#include "common/config/paths.hpp"
#include "daemon/catalog/candidate.hpp"

namespace routerd::sources {

/// What reading one Ollama store gave.
struct OllamaFiles {
    std::vector<Candidate> files;
    std::vector<BrokenFile> broken;    ///< manifests that cannot be read or name a missing blob
    std::vector<std::string> folders;  ///< that hold manifests and blobs, to be watched
};

/// $OLLAMA_MODELS, else ~/.ollama/models and /usr/share/ollama/.ollama/models.
std::vector<std::string> ollama_folders(const Environment& environment);

/// Goes from manifests (registry/namespace/name/tag) to blobs. `llama3.2:1b` becomes the stem
/// "llama3.2-1b" with the alias "llama3.2:1b"; the tag "latest" is left out of the stem. Blocks.
OllamaFiles read_ollama_store(const std::string& root);

}  // namespace routerd::sources
