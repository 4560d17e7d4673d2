#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace routerd {

/// Who sends a request, as far as its key tells.
struct Caller {
    std::string key;  ///< the key's name, which tells nothing of it; empty: none was asked for
    /// Ids of the models that it may use; null: all.
    std::shared_ptr<const std::vector<std::string>> models;

    bool may_use(std::string_view model) const noexcept {
        return models == nullptr || std::ranges::find(*models, model) != models->end();
    }
};

}  // namespace routerd
