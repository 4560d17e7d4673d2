#include "common/api/shutdown.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, ShutdownRequest> request) {
    io("keep_models", request.keep_models);
}

template <class Io>
void fields(Io& io, Of<Io, ShutdownResult> result) {
    io("pid", result.pid);
    io("keep_models", result.keep_models);
    io("models", result.models);
}

ROUTERD_API_CODEC(ShutdownRequest);
ROUTERD_API_CODEC(ShutdownResult);

}  // namespace routerd::api
