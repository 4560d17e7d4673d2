#include "common/api/decision.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, Decision> decision) {
    io("id", decision.id);
    io("time", decision.time);
    io("type", decision.type);
    io("model", decision.model);
    io("request", decision.request);
    io("message", decision.message);
    io("details", decision.details);
}

ROUTERD_API_CODEC(Decision);
ROUTERD_API_CODEC(DecisionList);

}  // namespace routerd::api
