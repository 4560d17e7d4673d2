#pragma once

#include <string>
#include <string_view>

#include "daemon/catalog/identity.hpp"

namespace routerd {

/// Name of the setting that keeps contested_ids().
inline constexpr std::string_view remembered_ids_setting = "catalog.ids";

/// A JSON object, path → id; bytes of a path that are not UTF-8 are kept out.
std::string ids_to_text(const KnownIds& ids);

/// What is not understood is left out.
KnownIds ids_from_text(std::string_view text);

}  // namespace routerd
