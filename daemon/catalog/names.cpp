#include "daemon/catalog/names.hpp"

#include <algorithm>
#include <vector>

#include "common/base/text.hpp"

namespace routerd {

Result<std::shared_ptr<const Model>> model_named(const Snapshot& snapshot, std::string_view name) {
    const auto found = snapshot.names.find(to_lower(name));
    if (found != snapshot.names.end()) {
        return snapshot.models[found->second];
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
