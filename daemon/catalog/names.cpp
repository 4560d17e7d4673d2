#include "daemon/catalog/names.hpp"

#include <algorithm>
#include <vector>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"

namespace routerd {
namespace {

/// The file whose name says that it is this model, and that cannot be offered; nullptr: none.
const BrokenFile* broken_file(const Snapshot& snapshot, std::string_view name) {
    const auto is_it = [name](const BrokenFile& broken) {
        const auto file = base_name(broken.path);
        if (!is_gguf_name(file)) {
            return false;
        }
        const auto part = split_name(file);
        return iequals(name, file) || iequals(name, stem_of(file)) ||
               (part && iequals(name, part->stem));
    };
    const auto found = std::ranges::find_if(snapshot.broken, is_it);
    return found != snapshot.broken.end() ? &*found : nullptr;
}

}  // namespace

Result<std::shared_ptr<const Model>> model_named(const Snapshot& snapshot, std::string_view name) {
    const auto found = snapshot.names.find(to_lower(name));
    if (found != snapshot.names.end()) {
        return snapshot.models[found->second];
    }
    if (const auto* broken = broken_file(snapshot, name)) {
        const auto file =
            escaped(base_name(broken->path));  // where it lies is no client's business
        return Error(Errc::model_not_found, "model '" + escaped(name) + "' is not offered: " +
                                                file + ": " + escaped(broken->reason))
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
    return error.with_hint(names.empty() ? "no model was found at all: fetch one with routerctl "
                                           "pull, or see routerctl doctor"
                                         : "GET /v1/models or routerctl ls has the names");
}

}  // namespace routerd
