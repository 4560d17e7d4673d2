#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/api/list.hpp"
#include "common/base/time.hpp"

namespace routerd::api {

/// What is known of a client's key: all but the key.
struct Key {
    std::string id;
    std::string name;
    std::vector<std::string> scopes;  ///< "inference", "read", "admin"
    std::vector<std::string> models;  ///< ids of those it may use; none: all
    WallTime created;
    std::optional<WallTime> expires;  ///< null: never
    bool expired = false;
};

using KeyList = List<Key>;

/// A key to be made.
struct KeyRequest {
    std::string name;
    std::vector<std::string> scopes;        ///< none: inference
    std::vector<std::string> models;        ///< ids or aliases; none: all
    std::optional<std::string> expires_in;  ///< "30d"; null: never
};

/// The one time that a key is shown.
struct NewKey {
    std::string key;
    Key about;
};

}  // namespace routerd::api
