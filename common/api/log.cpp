#include "common/api/log.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, LogLine> line) {
    io("time", line.time);
    io("text", line.text);
}

template <class Io>
void fields(Io& io, Of<Io, LogLevel> level) {
    io("level", level.level);
}

ROUTERD_API_CODEC(LogLine);
ROUTERD_API_CODEC(LogLevel);
ROUTERD_API_CODEC(LogList);

}  // namespace routerd::api
