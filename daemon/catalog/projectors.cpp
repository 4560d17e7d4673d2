#include "daemon/catalog/projectors.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/traits.hpp"

namespace routerd {
namespace {

/// Folder and hub repository: one flat cache folder holds files of many repositories.
std::string home_of(std::string_view path, const std::string& repo) {
    return std::string(parent_path(path)) + '\n' + repo;
}

bool widths_agree(const gguf::Metadata& model, const gguf::Metadata& projector) {
    return projector.projection_dim == 0 || model.embedding_length == 0 ||
           projector.projection_dim == model.embedding_length;
}

/// How well they go together; 0: not at all.
std::size_t fitness(const FoundModel& model, const Projector& projector, bool only_family) {
    const auto own = family_name(stem_of(base_name(projector.file.path)));
    const auto family = family_name(model.stem);
    const bool nameless = own.empty() || own == "model";
    if (!nameless && (family.starts_with(own) || own.starts_with(family))) {
        return 2 + std::min(own.size(), family.size());
    }
    const bool fits = widths_agree(*model.metadata, *projector.metadata);
    const bool told = projector.metadata->projection_dim != 0 && nameless;
    return fits && (only_family || told) ? 1 : 0;
}

bool is_half_float(const Projector& projector) {
    return projector.metadata->quantization == "F16";
}

}  // namespace

std::string family_name(std::string_view stem) {
    auto name = to_lower(stem);
    if (const auto quantization = quantization_in(name); !quantization.empty()) {
        name.erase(name.rfind(to_lower(quantization)));
    }
    if (const auto at = name.find("mmproj"); at != std::string::npos) {
        name.erase(at, std::string_view("mmproj").size());
    }
    constexpr std::string_view separators = "-_.";
    const auto first = name.find_first_not_of(separators);
    const auto last = name.find_last_not_of(separators);
    return first == std::string::npos ? std::string() : name.substr(first, last - first + 1);
}

void pair_projectors(std::vector<FoundModel>& models, const std::vector<Projector>& projectors) {
    std::map<std::string, std::vector<const Projector*>> by_home;
    for (const auto& projector : projectors) {
        by_home[home_of(projector.file.path, projector.file.repo)].push_back(&projector);
    }
    std::map<std::string, std::set<std::string>> families;
    for (const auto& model : models) {
        const auto home = home_of(model.files.front(), model.repo);
        if (by_home.contains(home)) {
            families[home].insert(family_name(model.stem));
        }
    }
    for (auto& model : models) {
        const auto home = home_of(model.files.front(), model.repo);
        const auto near = by_home.find(home);
        if (near == by_home.end() || !model.mmproj.empty()) {
            continue;
        }
        const Projector* best = nullptr;
        std::size_t best_fitness = 0;
        for (const auto* projector : near->second) {
            const auto fit = fitness(model, *projector, families[home].size() == 1);
            const bool better =
                fit > best_fitness || (fit == best_fitness && best != nullptr &&
                                       is_half_float(*projector) && !is_half_float(*best));
            if (fit > 0 && better) {
                best = projector;
                best_fitness = fit;
            }
        }
        if (best != nullptr) {
            model.mmproj = best->file.path;
            model.projector = best->metadata;
            model.mmproj_sees =
                best->metadata->has_vision_encoder || !best->metadata->has_audio_encoder;
        }
    }
}

}  // namespace routerd
