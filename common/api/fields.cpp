#include "common/api/fields.hpp"

#include <optional>

#include "common/config/tier.hpp"

namespace routerd::api {
namespace {

constexpr int max_depth = 64;

/// Stops the parser at the first value that lies too deep, which bounds nlohmann's own recursion,
/// or is one too many.
class Bounds {
  public:
    explicit Bounds(std::size_t most_values) : most_values_(most_values) {}

    bool operator()(int depth, Json::parse_event_t event, Json& /*parsed*/) {
        using Event = Json::parse_event_t;
        if (depth > max_depth) {
            throw Mismatch("is nested more than " + std::to_string(max_depth) + " levels deep");
        }
        const bool begins_value =
            event == Event::value || event == Event::object_start || event == Event::array_start;
        if (begins_value && ++values_ > most_values_) {
            throw Mismatch("has more than " + std::to_string(most_values_) + " values");
        }
        return true;
    }

  private:
    std::size_t most_values_;
    std::size_t values_ = 0;
};

Error not_json(std::size_t byte) {
    return Error(Errc::invalid_request, "not valid JSON at byte " + std::to_string(byte));
}

}  // namespace

void Value<std::string>::read(const Json& in, std::string& value) {
    if (!in.is_string()) {
        throw Mismatch("must be text");
    }
    value = in.get<std::string>();
}

void Value<bool>::read(const Json& in, bool& value) {
    if (!in.is_boolean()) {
        throw Mismatch("must be true or false");
    }
    value = in.get<bool>();
}

void Value<double>::read(const Json& in, double& value) {
    if (!in.is_number()) {
        throw Mismatch("must be a number");
    }
    value = in.get<double>();
}

void Value<WallTime>::read(const Json& in, WallTime& value) {
    const auto time =
        in.is_string() ? parse_rfc3339(in.get_ref<const std::string&>()) : std::nullopt;
    if (!time) {
        throw Mismatch("must be a time like 2026-11-21T15:04:05Z");
    }
    value = *time;
}

Json Value<Tier>::write(Tier value) {
    return std::string(to_string(value));
}

void Value<Tier>::read(const Json& in, Tier& value) {
    const auto tier =
        in.is_string() ? tier_from_string(in.get_ref<const std::string&>()) : std::nullopt;
    if (!tier) {
        throw Mismatch("must be 'fast', 'balanced' or 'powerful'");
    }
    value = *tier;
}

Json Value<std::vector<std::pair<std::string, std::string>>>::write(const T& details) {
    Json out = Json::object();
    for (const auto& [name, text] : details) {
        out[name] = text;
    }
    return out;
}

void Value<std::vector<std::pair<std::string, std::string>>>::read(const Json& in, T& details) {
    std::map<std::string, std::string> by_name;
    Value<std::map<std::string, std::string>>::read(in, by_name);
    details.assign(by_name.begin(), by_name.end());
}

std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::size_t most_values_of_request(std::size_t bytes) {
    constexpr std::size_t always = 4096;
    constexpr std::size_t bytes_each = 20;  // a small member takes some 120 bytes in memory
    return always + bytes / bytes_each;
}

Result<Json> parse_json(std::string_view text, std::size_t most_values) {
    const auto nul = text.find('\0');  // the parser takes it for the end, whatever follows
    if (nul != std::string_view::npos) {
        return not_json(nul + 1);
    }
    try {
        return Json::parse(text, Bounds(most_values));
    } catch (const Mismatch& mismatch) {
        return Error(Errc::invalid_request, std::string("the JSON ") + mismatch.what());
    } catch (const Json::parse_error& error) {
        return not_json(error.byte);
    } catch (const Json::out_of_range&) {
        return Error(Errc::invalid_request, "the JSON has a number that is out of range");
    }
}

Result<void> refuse_unknown(const Json& in, const std::vector<std::string>& known) {
    if (!in.is_object()) {
        return Error(Errc::invalid_request, "the body must be a JSON object");
    }
    for (const auto& item : in.items()) {
        if (std::find(known.begin(), known.end(), item.key()) != known.end()) {
            continue;
        }
        const auto near = nearest(item.key(), known);
        const Error error(Errc::invalid_request, "unknown key '" + escaped(item.key()) + "'");
        return near.empty() ? error.with_hint("known keys: " + join(known, ", "))
                            : error.with_hint("did you mean '" + near + "'?");
    }
    return {};
}

}  // namespace routerd::api
