#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// A decision about a model or a request, with its reason as data: one line of `routerctl why`.
struct Decision {
    std::uint64_t id = 0;  ///< rises by one over all decisions
    WallTime time;
    std::string type;   ///< "request.waits", "request.granted", "instance.starting", …
    std::string model;  ///< id
    std::optional<std::string> request;                        ///< id, where it is about one
    std::string message;                                       ///< one sentence for people
    std::vector<std::pair<std::string, std::string>> details;  ///< the reason's figures, by name
};

using DecisionList = List<Decision>;

}  // namespace routerd::api
