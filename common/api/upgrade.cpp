#include "common/api/upgrade.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, UpgradeResult> result) {
    io("pid", result.pid);
    io("version", result.version);
    io("old_pid", result.old_pid);
    io("old_version", result.old_version);
    io("requests", result.requests);
}

ROUTERD_API_CODEC(UpgradeResult);

}  // namespace routerd::api
