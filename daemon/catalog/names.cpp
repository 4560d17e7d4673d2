#include "daemon/catalog/names.hpp"

#include <algorithm>
#include <vector>

#include "common/base/text.hpp"

namespace routerd {
namespace {

std::string_view file_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);  // the whole where there is no '/'
}

/// The file whose name says that it is this model, and that cannot be offered; nullptr: none.
const BrokenFile* broken_file(const Snapshot& snapshot, std::string_view name) {
    constexpr std::string_view ending = ".gguf";
    auto wanted = to_lower(name);
    if (!wanted.ends_with(ending)) {
        wanted += ending;
    }
    const auto found = std::ranges::find_if(snapshot.broken, [&](const BrokenFile& file) {
        return to_lower(file_name(file.path)) == wanted;
    });
    return found != snapshot.broken.end() ? &*found : nullptr;
}

}  // namespace

Result<std::shared_ptr<const Model>> model_named(const Snapshot& snapshot, std::string_view name) {
    const auto found = snapshot.names.find(to_lower(name));
    if (found != snapshot.names.end()) {
        return snapshot.models[found->second];
    }
    if (const auto* broken = broken_file(snapshot, name)) {
        const std::string file(file_name(broken->path));  // where it lies is no client's business
        return Error(Errc::model_not_found, "model '" + escaped(name) + "' is not offered: " +
                                                escaped(file) + ": " + escaped(broken->reason))
            .with_param("model")
            .with_hint("replace the file; routerctl doctor has all files that are not offered");
    }
    constexpr std::size_t longest_shown = 128;
    constexpr std::size_t most_compared = 2000;
    std::vector<std::string> names;
    for (const auto& [known, index] : snapshot.names) {
        if (names.size() < most_compared) {
            names.push_back(known);
        }
    }
    std::sort(names.begin(), names.end());
    const auto near = nearest(name, names);
    const auto shown = escaped(name.substr(0, longest_shown));
    const auto error =
        Error(Errc::model_not_found, "there is no model '" + shown + "'").with_param("model");
    if (!near.empty()) {
        return error.with_hint("did you mean '" + near + "'?");
    }
    return error.with_hint(names.empty() ? "no model was found at all: see routerctl doctor, or "
                                           "put a GGUF file into a models directory"
                                         : "GET /v1/models or routerctl ls has the names");
}

}  // namespace routerd
