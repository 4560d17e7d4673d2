#pragma once

#include <optional>
#include <string>
#include <vector>

namespace routerd::api {

/// One page of a list, as every list of the control API is sent: {"items": […], "next": cursor}.
template <class T>
struct List {
    std::vector<T> items;
    std::optional<std::string> next;  ///< the `cursor` of the next page; null at the end
};

}  // namespace routerd::api
