#include "common/api/pull.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, PullFile> file) {
    io("name", file.name);
    io("path", file.path);
    io("state", file.state);
    io("size", file.size);
    io("done", file.done);
    io("rate", file.rate);
    io("sha256", file.sha256);
}

template <class Io>
void fields(Io& io, Of<Io, Pull> pull) {
    io("id", pull.id);
    io("ref", pull.ref);
    io("name", pull.name);
    io("state", pull.state);
    io("error", pull.error);
    io("hint", pull.hint);
    io("code", pull.code);
    io("size", pull.size);
    io("done", pull.done);
    io("rate", pull.rate);
    io("eta_seconds", pull.eta_seconds);
    io("connections", pull.connections);
    io("limit_rate", pull.limit_rate);
    io("files", pull.files);
    io("notes", pull.notes);
    io("models", pull.models);
    io("created", pull.created);
    io("finished", pull.finished);
}

template <class Io>
void fields(Io& io, Of<Io, PullRequest> request) {
    io("ref", request.ref);
    io("connections", request.connections);
    io("limit_rate", request.limit_rate);
    io("include", request.include);
    io("token", request.token);
    io("sha256", request.sha256);
    io("insecure", request.insecure);
}

template <class Io>
void fields(Io& io, Of<Io, PullChange> change) {
    io("limit_rate", change.limit_rate);
    io("connections", change.connections);
    io("token", change.token);
}

ROUTERD_API_CODEC(PullFile);
ROUTERD_API_CODEC(Pull);
ROUTERD_API_CODEC(PullList);
ROUTERD_API_CODEC(PullRequest);
ROUTERD_API_CODEC(PullChange);

}  // namespace routerd::api
