#include "common/api/event.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, Event> event) {
    io("id", event.id);
    io("time", event.time);
    io("type", event.type);
    io("model", event.model);
    io("message", event.message);
    io("details", event.details);
}

ROUTERD_API_CODEC(Event);
ROUTERD_API_CODEC(EventList);

}  // namespace routerd::api
