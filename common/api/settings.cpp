#include "common/api/settings.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, ConfigEntry> entry) {
    io("key", entry.key);
    io("value", entry.value);
    io("origin", entry.origin);
}

template <class Io>
void fields(Io& io, Of<Io, ReloadResult> result) {
    io("changed", result.changed);
    io("restart_required", result.restart_required);
}

ROUTERD_API_CODEC(ConfigEntry);
ROUTERD_API_CODEC(ConfigList);
ROUTERD_API_CODEC(ReloadResult);

}  // namespace routerd::api
