#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "common/config/schema.hpp"

namespace routerd {

inline constexpr std::array all_tiers{Tier::fast, Tier::balanced, Tier::powerful};

/// "fast", "balanced", "powerful".
std::string_view to_string(Tier tier) noexcept;

/// The same words in any case; nullopt for others.
std::optional<Tier> tier_from_string(std::string_view word) noexcept;

}  // namespace routerd
