#include "common/api/event.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

/// The details are an object; people read them in the order they were given, programs by name.
template <>
struct Value<std::vector<std::pair<std::string, std::string>>> {
    using T = std::vector<std::pair<std::string, std::string>>;
    static Json write(const T& details) {
        Json out = Json::object();
        for (const auto& [name, text] : details) {
            out[name] = text;
        }
        return out;
    }
    static void read(const Json& in, T& details) {
        std::map<std::string, std::string> by_name;
        Value<std::map<std::string, std::string>>::read(in, by_name);
        details.assign(by_name.begin(), by_name.end());
    }
};

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
