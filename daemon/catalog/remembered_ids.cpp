#include "daemon/catalog/remembered_ids.hpp"

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"

namespace routerd {

std::string ids_to_text(const KnownIds& ids) {
    auto json = nlohmann::json::object();
    for (const auto& [path, id] : ids) {
        if (valid_utf8(path) == path) {
            json[path] = id;
        }
    }
    return json.dump();
}

KnownIds ids_from_text(std::string_view text) {
    KnownIds ids;
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return ids;
    }
    for (const auto& [path, id] : json.items()) {
        if (id.is_string()) {
            ids.emplace(path, id.get<std::string>());
        }
    }
    return ids;
}

}  // namespace routerd
