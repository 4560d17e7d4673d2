#include "common/api/removal.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, RemovedModel> model) {
    io("id", model.id);
    io("files", model.files);
    io("freed", model.freed);
}

template <class Io>
void fields(Io& io, Of<Io, PruneRequest> request) {
    io("dry_run", request.dry_run);
    io("all", request.all);
}

template <class Io>
void fields(Io& io, Of<Io, PrunedFile> file) {
    io("path", file.path);
    io("bytes", file.bytes);
}

template <class Io>
void fields(Io& io, Of<Io, PruneResult> result) {
    io("removed", result.removed);
    io("pulls", result.pulls);
    io("freed", result.freed);
}

ROUTERD_API_CODEC(RemovedModel);
ROUTERD_API_CODEC(PruneRequest);
ROUTERD_API_CODEC(PrunedFile);
ROUTERD_API_CODEC(PruneResult);

}  // namespace routerd::api
