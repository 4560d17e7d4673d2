#include "daemon/catalog/sources/lmstudio.hpp"

#include <string_view>

#include "common/base/text.hpp"
#include "daemon/catalog/sources/small_file.hpp"

namespace routerd::sources {
namespace {

constexpr std::size_t longest_pointer = 4096;

}  // namespace

std::vector<std::string> lmstudio_folders(const Environment& environment) {
    std::vector<std::string> folders;
    const auto pointer =
        read_small_file(expand_home("~/.lmstudio-home-pointer", environment), longest_pointer);
    const std::string home(trim(pointer.value_or("")));
    if (home.starts_with('/')) {
        folders.push_back(home + "/models");
    }
    for (const auto* folder : {"~/.lmstudio/models", "~/.cache/lm-studio/models"}) {
        folders.push_back(expand_home(folder, environment));
    }
    return folders;
}

void describe_lmstudio_files(const std::string& root, std::vector<Candidate>& files) {
    for (auto& file : files) {
        const auto below = std::string_view(file.path).substr(root.size());
        const auto parts = split(below, '/');  // "", publisher, repository, file
        if (parts.size() == 4) {
            file.repo.assign(parts[1]).append("/").append(parts[2]);
            file.parent = parts[2];
        }
    }
}

}  // namespace routerd::sources
