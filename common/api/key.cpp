#include "common/api/key.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, Key> key) {
    io("id", key.id);
    io("name", key.name);
    io("scopes", key.scopes);
    io("models", key.models);
    io("created", key.created);
    io("expires", key.expires);
    io("expired", key.expired);
}

template <class Io>
void fields(Io& io, Of<Io, KeyRequest> request) {
    io("name", request.name);
    io("scopes", request.scopes);
    io("models", request.models);
    io("expires_in", request.expires_in);
}

template <class Io>
void fields(Io& io, Of<Io, NewKey> made) {
    io("key", made.key);
    io.inlined(made.about);
}

ROUTERD_API_CODEC(Key);
ROUTERD_API_CODEC(KeyList);
ROUTERD_API_CODEC(KeyRequest);
ROUTERD_API_CODEC(NewKey);

}  // namespace routerd::api
