#include "common/api/queue.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, QueuedRequest> request) {
    io("id", request.id);
    io("ticket", request.ticket);
    io("request", request.request);
    io("model", request.model);
    io("priority", request.priority);
    io("key", request.key);
    io("since", request.since);
    io("deadline", request.deadline);
    io("position", request.position);
    io("state", request.state);
    io("progress_percent", request.progress_percent);
    io("reason", request.reason);
}

ROUTERD_API_CODEC(QueuedRequest);
ROUTERD_API_CODEC(QueueList);

}  // namespace routerd::api
