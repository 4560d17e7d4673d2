#include "daemon/pull/choice.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/units.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/gguf/types.hpp"
#include "daemon/pull/glob.hpp"
#include "daemon/pull/variants.hpp"

namespace routerd::pull {
namespace {

constexpr std::string_view favourite = "Q4_K_M";
constexpr std::size_t longest_glob = 256;
constexpr std::size_t most_told = 30;  // names in a message

std::string_view without_dynamic(std::string_view quantization) {
    return quantization.starts_with("UD-") ? quantization.substr(3) : quantization;
}

/// How far a quantization is from Q4_K_M in what people get of it: bits first, more before fewer,
/// 16 bits and more before what loses much; then the kind.
unsigned distance_from_favourite(std::string_view quantization) {
    constexpr std::array<unsigned, 9> by_bits{90, 80, 60, 40, 0, 10, 20, 30, 30};
    constexpr unsigned unquantized = 50;
    constexpr unsigned unknown = 45;
    constexpr std::array<std::string_view, 6> kinds{"_K_M", "_K_XL", "_K_L", "_K", "_K_S", "FP4"};
    const auto plain = without_dynamic(quantization);
    const auto bits = gguf::quantization_bits(plain);
    if (!bits) {
        return unknown;
    }
    const auto* kind = std::find_if(kinds.begin(), kinds.end(),
                                    [plain](std::string_view end) { return plain.ends_with(end); });
    const auto rank = static_cast<unsigned>(kind - kinds.begin());
    return (*bits < by_bits.size() ? by_bits.at(*bits) : unquantized) + rank +
           (plain.size() == quantization.size() ? 0U : 1U);
}

std::string told(const Variant& variant) {
    const auto name =
        variant.quantization.empty() ? "'" + variant.path + "'" : variant.quantization;
    return variant.bytes() == 0 ? name : name + " (" + format_bytes(variant.bytes()) + ")";
}

std::vector<std::string> quantizations_of(const std::vector<Variant>& variants) {
    std::set<std::string> names;
    for (const auto& variant : variants) {
        names.insert(variant.quantization.empty() ? variant.path : variant.quantization);
    }
    return {names.begin(), names.end()};
}

std::string listed(std::vector<std::string> names) {
    if (names.size() > most_told) {
        names.resize(most_told);
        names.emplace_back("…");
    }
    return join(names, ", ");
}

Error incomplete(const Variant& variant) {
    return {Errc::not_found, "the split set '" + variant.path + "' of " +
                                 std::to_string(variant.count) + " parts lacks part " +
                                 variant.missing()};
}

Error no_gguf() {
    return Error(Errc::not_found, "it has no model in GGUF files")
        .with_hint(
            "llama.cpp runs GGUF files: look for a repository of the same model whose name "
            "ends in -GGUF");
}

/// One model and its projector.
Result<Choice> take(const std::vector<RepositoryFile>& files, const Variant& variant,
                    const std::string& why) {
    if (!variant.missing().empty()) {
        return incomplete(variant);
    }
    Choice choice;
    choice.files = variant.files();
    choice.quantization = variant.quantization;
    choice.notes.push_back(told(variant) + " is taken: " + why);
    if (const auto* projector = projector_for(files, variant.path)) {
        choice.files.push_back(*projector);
        choice.notes.push_back("its projector '" + projector->path + "' comes along");
    }
    return choice;
}

/// Whether `tag` means it; the lower the better, nullopt: it does not.
std::optional<int> likeness(const Variant& variant, std::string_view tag) {
    const auto name = base_name(variant.path);
    if (iequals(variant.quantization, tag)) {
        return 0;
    }
    if (iequals(name, stem_of(tag)) || iequals(variant.path, stem_of(tag))) {
        return 1;
    }
    return iequals(without_dynamic(variant.quantization), tag) ? std::optional(2) : std::nullopt;
}

/// Says so where a repository has several models in the quantization that was taken.
void tell_of_others(const std::vector<Variant>& variants, const Variant& taken,
                    Result<Choice>& choice) {
    const auto alike = std::count_if(variants.begin(), variants.end(), [&taken](const auto& other) {
        return other.quantization == taken.quantization;
    });
    if (choice && alike > 1 && !taken.quantization.empty()) {
        choice->notes.push_back("of " + std::to_string(alike) + " models in " + taken.quantization +
                                " this is '" + taken.path + "'; --include chooses by name");
    }
}

Result<Choice> take_tag(const std::vector<RepositoryFile>& files,
                        const std::vector<Variant>& variants, const std::string& tag) {
    const Variant* best = nullptr;
    auto best_rank = std::pair(0, false);
    for (const auto& variant : variants) {
        const auto like = likeness(variant, tag);
        const auto rank = std::pair(like.value_or(0), !variant.missing().empty());
        if (like && (best == nullptr || rank < best_rank)) {
            best = &variant;
            best_rank = rank;
        }
    }
    if (best == nullptr) {
        const auto names = quantizations_of(variants);
        const auto near = nearest(tag, names);
        return Error(Errc::not_found, "it has no '" + escaped(tag) + "'")
            .with_hint((near.empty() ? "" : "did you mean " + near + "? ") + "there are " +
                       listed(names));
    }
    auto choice = take(files, *best, "it was asked for");
    if (iequals(best->quantization, tag)) {
        tell_of_others(variants, *best, choice);
    }
    return choice;
}

bool fits(const Variant& variant, std::optional<std::uint64_t> budget) {
    return !budget || variant.bytes() <= *budget;
}

/// Of whole sets only.
Result<Choice> take_best(const std::vector<RepositoryFile>& files,
                         const std::vector<Variant>& variants,
                         std::optional<std::uint64_t> budget) {
    const auto rank = [budget](const Variant& variant) {
        const bool fitting = fits(variant, budget);
        return std::tuple(!variant.missing().empty(), !fitting, fitting ? 0 : variant.bytes(),
                          distance_from_favourite(variant.quantization), variant.path);
    };
    const auto best =
        std::min_element(variants.begin(), variants.end(),
                         [&rank](const auto& a, const auto& b) { return rank(a) < rank(b); });
    const bool has_favourite =
        std::any_of(variants.begin(), variants.end(),
                    [](const auto& variant) { return variant.quantization == favourite; });
    std::string why = "it is the only one";
    if (!fits(*best, budget)) {
        why = "it is the smallest, though none fits in the memory for models, " +
              format_bytes(*budget);
    } else if (best->quantization == favourite) {
        why = "it is the usual choice";
    } else if (has_favourite) {
        why = "it is the nearest to " + std::string(favourite) +
              " that fits in the memory for models, " + format_bytes(budget.value_or(0));
    } else if (variants.size() > 1) {
        why = "there is no " + std::string(favourite) + ", and this is the nearest to it";
        why += budget ? " that fits" : "";
    }
    auto choice = take(files, *best, why);
    tell_of_others(variants, *best, choice);
    return choice;
}

Result<Choice> take_file(const std::vector<RepositoryFile>& files,
                         const std::vector<Variant>& variants, const std::string& path) {
    const auto same = [&path](const RepositoryFile& file) { return file.path == path; };
    const auto file = std::find_if(files.begin(), files.end(), same);
    if (file == files.end()) {
        std::vector<std::string> names;
        for (const auto& other : files) {
            if (is_gguf_name(base_name(other.path))) {
                names.push_back(other.path);
            }
        }
        return Error(Errc::not_found, "it has no file '" + path + "'")
            .with_hint("there are " + listed(names));
    }
    for (const auto& variant : variants) {
        const auto parts = variant.files();
        if (std::any_of(parts.begin(), parts.end(), same)) {
            return take(files, variant, "it was asked for");
        }
    }
    Choice choice;
    choice.files.push_back(*file);
    return choice;
}

bool is_included(const RepositoryFile& file, const std::vector<std::string>& globs) {
    return std::any_of(globs.begin(), globs.end(), [&file](const std::string& glob) {
        const bool by_name = glob.find('/') == std::string::npos;
        return glob_matches(glob, file.path) ||
               (by_name && glob_matches(glob, base_name(file.path)));
    });
}

Result<Choice> take_included(const std::vector<RepositoryFile>& files,
                             const std::vector<std::string>& globs) {
    for (const auto& glob : globs) {
        if (glob.empty() || glob.size() > longest_glob) {
            return Error(Errc::invalid_request,
                         "a pattern of names has 1 to " + std::to_string(longest_glob) + " bytes");
        }
    }
    Choice choice;
    std::copy_if(files.begin(), files.end(), std::back_inserter(choice.files),
                 [&globs](const RepositoryFile& file) { return is_included(file, globs); });
    if (choice.files.empty()) {
        return Error(Errc::not_found,
                     "no file of it matches '" + escaped(join(globs, "', '")) + "'")
            .with_hint("there are " + listed(quantizations_of(variants_of(files))));
    }
    const auto variants = variants_of(choice.files);
    std::vector<RepositoryFile> ordered;
    for (const auto& variant : variants) {
        const auto parts = variant.files();
        ordered.insert(ordered.end(), parts.begin(), parts.end());
    }
    std::set<std::string> placed;
    for (const auto& file : ordered) {
        placed.insert(file.path);
    }
    for (const auto& file : choice.files) {
        if (placed.insert(file.path).second) {
            ordered.push_back(file);
        }
    }
    choice.files = std::move(ordered);
    const auto quantizations = quantizations_of(variants);
    choice.quantization = quantizations.size() == 1 ? variants.front().quantization : "";
    choice.notes.push_back(std::to_string(choice.files.size()) + " files match");
    return choice;
}

}  // namespace

Result<Choice> choose_files(const std::vector<RepositoryFile>& files, const Wanted& wanted) {
    if (!wanted.include.empty()) {
        return take_included(files, wanted.include);
    }
    const auto variants = variants_of(files);
    if (!wanted.file.empty()) {
        return take_file(files, variants, wanted.file);
    }
    if (variants.empty()) {
        return no_gguf();
    }
    if (!wanted.tag.empty() && !iequals(wanted.tag, "latest")) {
        return take_tag(files, variants, wanted.tag);
    }
    return take_best(files, variants, wanted.budget);
}

}  // namespace routerd::pull
