#include "common/api/request.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, RequestEntry> request) {
    io("id", request.id);
    io("request", request.request);
    io("started", request.started);
    io("endpoint", request.endpoint);
    io("model", request.model);
    io("status", request.status);
    io("error", request.error);
    io("stream", request.stream);
    io("bytes", request.bytes);
    io("prompt_tokens", request.prompt_tokens);
    io("completion_tokens", request.completion_tokens);
    io("tokens_per_second", request.tokens_per_second);
    io("queued_ms", request.queued_ms);
    io("loaded_ms", request.loaded_ms);
    io("first_byte_ms", request.first_byte_ms);
    io("took_ms", request.took_ms);
}

ROUTERD_API_CODEC(RequestEntry);
ROUTERD_API_CODEC(RequestList);

}  // namespace routerd::api
