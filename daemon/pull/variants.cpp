#include "daemon/pull/variants.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/projectors.hpp"
#include "daemon/catalog/traits.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t most_missing_told = 4;

/// A GGUF file that is no model of its own. The drafts are those that llama.cpp knows by name
/// (common/download.cpp).
bool is_companion(std::string_view path) {
    constexpr std::array<std::string_view, 4> drafts{"mtp-", "eagle3-", "dflash-", "dspark-"};
    const auto name = to_lower(base_name(path));
    const auto is_draft = [&name](std::string_view mark) {
        return name.starts_with(mark) || name.find("-" + std::string(mark)) != std::string::npos;
    };
    const bool measured = name.find("imatrix") != std::string::npos;  // or made with its help
    return is_projector_name(path) || std::any_of(drafts.begin(), drafts.end(), is_draft) ||
           (measured && quantization_in(stem_of(name)).empty());
}

std::string quantization_at(std::string_view stem_path) {
    const auto named = quantization_in(base_name(stem_path));
    return upper_case(named.empty() ? quantization_in(base_name(parent_path(stem_path))) : named);
}

/// Whether a file of `folder` may go with a model at `model`.
bool is_at_or_above(std::string_view folder, std::string_view model) {
    const auto home = parent_path(model);
    return folder.empty() || home == folder ||
           (home.starts_with(folder) && home[folder.size()] == '/');
}

bool of_one_family(std::string_view projector, std::string_view model) {
    const auto own = family_name(stem_of(base_name(projector)));
    const auto family = family_name(base_name(model));
    return own.empty() || own == "model" || family.starts_with(own) || own.starts_with(family);
}

/// The best is the least.
auto projector_rank(std::string_view projector, std::string_view model) {
    constexpr std::array<std::string_view, 3> wanted{"F16", "BF16", "Q8_0"};
    const auto quantization = upper_case(quantization_in(stem_of(base_name(projector))));
    const auto* place = std::find(wanted.begin(), wanted.end(), quantization);
    const auto depth = parent_path(projector).size();
    return std::tuple(!of_one_family(projector, model), parent_path(model).size() - depth,
                      place - wanted.begin(), projector);
}

}  // namespace

std::uint64_t Variant::bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [number, part] : parts) {
        const auto size = part.size.value_or(0);
        sum = sum + size < sum ? UINT64_MAX : sum + size;
    }
    return sum;
}

std::string Variant::missing() const {
    std::vector<std::string> numbers;
    for (std::uint32_t number = 1; number <= count; ++number) {
        if (parts.contains(number)) {
            continue;
        }
        if (numbers.size() == most_missing_told) {
            numbers.emplace_back("…");
            break;
        }
        numbers.push_back(std::to_string(number));
    }
    return join(numbers, ", ");
}

std::vector<RepositoryFile> Variant::files() const {
    std::vector<RepositoryFile> files;
    files.reserve(parts.size());
    for (const auto& [number, part] : parts) {
        files.push_back(part);
    }
    return files;
}

bool is_projector_name(std::string_view path) {
    const auto name = base_name(path);
    return is_gguf_name(name) && to_lower(name).find("mmproj") != std::string::npos;
}

std::string upper_case(std::string_view text) {
    std::string result(text);
    for (auto& c : result) {
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return result;
}

std::vector<Variant> variants_of(const std::vector<RepositoryFile>& files) {
    std::map<std::pair<std::string, std::uint32_t>, Variant> found;
    for (const auto& file : files) {
        const auto name = base_name(file.path);
        if (!is_gguf_name(name) || is_companion(file.path)) {
            continue;
        }
        const auto split = split_name(name);
        const auto folder = file.path.substr(0, file.path.size() - name.size());
        const auto path = folder + (split ? split->stem : std::string(stem_of(name)));
        const auto count = split ? split->count : 1U;
        auto& variant = found[{path, count}];
        variant.path = path;
        variant.count = count;
        variant.quantization = quantization_at(path);
        variant.parts.insert_or_assign(split ? split->number : 1U, file);
    }
    std::vector<Variant> variants;
    variants.reserve(found.size());
    for (auto& [key, variant] : found) {
        variants.push_back(std::move(variant));
    }
    return variants;
}

const RepositoryFile* projector_for(const std::vector<RepositoryFile>& files,
                                    std::string_view model) {
    const RepositoryFile* best = nullptr;
    for (const auto& file : files) {
        if (!is_projector_name(file.path) || !is_at_or_above(parent_path(file.path), model)) {
            continue;
        }
        if (best == nullptr ||
            projector_rank(file.path, model) < projector_rank(best->path, model)) {
            best = &file;
        }
    }
    return best;
}

}  // namespace routerd::pull
