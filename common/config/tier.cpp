#include "common/config/tier.hpp"

#include "common/base/text.hpp"

namespace routerd {

std::string_view to_string(Tier tier) noexcept {
    switch (tier) {
        case Tier::fast:
            return "fast";
        case Tier::balanced:
            return "balanced";
        case Tier::powerful:
            return "powerful";
    }
    return "balanced";
}

std::optional<Tier> tier_from_string(std::string_view word) noexcept {
    for (const auto tier : all_tiers) {
        if (iequals(word, to_string(tier))) {
            return tier;
        }
    }
    return std::nullopt;
}

}  // namespace routerd
