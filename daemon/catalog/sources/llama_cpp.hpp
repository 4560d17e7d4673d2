#pragma once

#include <string>
#include <vector>

#include "common/config/paths.hpp"
#include "daemon/catalog/candidate.hpp"

namespace routerd::sources {

/// llama.cpp's own downloads: $LLAMA_CACHE or ~/.cache/llama.cpp.
std::vector<std::string> llama_cpp_folders(const Environment& environment);

/// Reads the repository of each file: from the hub layout of newer versions, else from the address
/// that older ones write beside the file (x.gguf.json).
void describe_llama_cpp_files(std::vector<Candidate>& files);

}  // namespace routerd::sources
