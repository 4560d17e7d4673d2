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
        if (names.size() < most_compared && name.size() < longest_shown) {
            names.push_back(known);
        }
    }
    std::sort(names.begin(), names.end());
    const auto near = nearest(to_lower(name), names);
    const Error error(Errc::not_found,
                      "there is no model '" + escaped(name.substr(0, longest_shown)) + "'");
    return error.with_hint(near.empty() ? "routerctl ls shows the models there are"
                                        : "did you mean '" + near + "'?");
}

}  // namespace routerd
