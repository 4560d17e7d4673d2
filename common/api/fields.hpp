#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/api/codec.hpp"
#include "common/api/list.hpp"
#include "common/base/text.hpp"
#include "common/base/time.hpp"
#include "common/config/schema.hpp"

/// How the codecs of this room are made; included by its .cpp files only. Each type has one table
///     template <class Io> void fields(Io& io, Of<Io, LogLine> line) { io("time", line.time); … }
/// that is read by the Writer, the Reader and the collector of known names alike.
namespace routerd::api {

using Json = nlohmann::json;

/// A value of the wrong kind; caught in decode().
class Mismatch : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class Writer;
template <class Io, class T>
using Of = std::conditional_t<std::same_as<Io, Writer>, const T&, T&>;

/// JSON of one value; the primary template is for types with a table of fields.
template <class T>
struct Value {
    static Json write(const T& value);
    static void read(const Json& in, T& value);
};

class Writer {
  public:
    template <class T>
    void operator()(const char* name, const T& value) {
        out_[name] = Value<T>::write(value);
    }
    /// The fields of `value` beside the others.
    template <class T>
    void inlined(const T& value) {
        fields(*this, value);
    }
    Json take() { return std::move(out_); }

  private:
    Json out_ = Json::object();
};

class Reader {
  public:
    explicit Reader(const Json& in) : in_(in) {
        if (!in.is_object()) {
            throw Mismatch("must be an object");
        }
    }
    template <class T>
    void operator()(const char* name, T& value) {
        const auto found = in_.find(name);
        if (found == in_.end() || found->is_null()) {
            return;
        }
        try {
            Value<T>::read(*found, value);
        } catch (const Mismatch& mismatch) {
            throw Mismatch("'" + std::string(name) + "': " + mismatch.what());
        }
    }
    template <class T>
    void inlined(T& value) {
        fields(*this, value);
    }

  private:
    const Json& in_;
};

/// Collects the names that a type knows.
class Names {
  public:
    template <class T>
    void operator()(const char* name, T& /*value*/) {
        known_.emplace_back(name);
    }
    template <class T>
    void inlined(T& value) {
        fields(*this, value);
    }
    const std::vector<std::string>& known() const noexcept { return known_; }

  private:
    std::vector<std::string> known_;
};

template <class T>
Json Value<T>::write(const T& value) {
    Writer writer;
    fields(writer, value);
    return writer.take();
}

template <class T>
void Value<T>::read(const Json& in, T& value) {
    Reader reader(in);
    fields(reader, value);
}

template <>
struct Value<std::string> {
    static Json write(const std::string& value) { return value; }
    static void read(const Json& in, std::string& value);
};

template <>
struct Value<bool> {
    static Json write(bool value) { return value; }
    static void read(const Json& in, bool& value);
};

template <>
struct Value<double> {
    static Json write(double value) { return value; }
    static void read(const Json& in, double& value);
};

template <>
struct Value<WallTime> {
    static Json write(WallTime value) { return format_rfc3339(value); }
    static void read(const Json& in, WallTime& value);
};

template <>
struct Value<Tier> {
    static Json write(Tier value);
    static void read(const Json& in, Tier& value);
};

template <std::integral T>
struct Value<T> {
    static Json write(T value) { return value; }
    static void read(const Json& in, T& value) {
        if (!in.is_number_integer()) {
            throw Mismatch("must be a whole number");
        }
        const bool negative = !in.is_number_unsigned() && in.template get<std::int64_t>() < 0;
        const bool fits = negative ? std::in_range<T>(in.template get<std::int64_t>())
                                   : std::in_range<T>(in.template get<std::uint64_t>());
        if (!fits) {
            throw Mismatch("must be between " + std::to_string(std::numeric_limits<T>::min()) +
                           " and " + std::to_string(std::numeric_limits<T>::max()));
        }
        value = in.template get<T>();
    }
};

/// Durations are whole numbers of their unit; the field's name says which.
template <class Period>
struct Value<std::chrono::duration<std::int64_t, Period>> {
    using T = std::chrono::duration<std::int64_t, Period>;
    static Json write(T value) { return value.count(); }
    static void read(const Json& in, T& value) {
        std::int64_t count = 0;
        Value<std::int64_t>::read(in, count);
        value = T(count);
    }
};

template <class T>
struct Value<std::optional<T>> {
    static Json write(const std::optional<T>& value) {
        return value ? Value<T>::write(*value) : Json();
    }
    static void read(const Json& in, std::optional<T>& value) {
        T read_value{};
        Value<T>::read(in, read_value);
        value = std::move(read_value);
    }
};

template <class T>
struct Value<std::vector<T>> {
    static Json write(const std::vector<T>& values) {
        Json out = Json::array();
        for (const auto& value : values) {
            out.push_back(Value<T>::write(value));
        }
        return out;
    }
    static void read(const Json& in, std::vector<T>& values) {
        if (!in.is_array()) {
            throw Mismatch("must be a list");
        }
        values.clear();
        for (const auto& item : in) {
            T value{};
            Value<T>::read(item, value);
            values.push_back(std::move(value));
        }
    }
};

template <class T>
struct Value<std::map<std::string, T>> {
    static Json write(const std::map<std::string, T>& values) {
        Json out = Json::object();
        for (const auto& [name, value] : values) {
            out[name] = Value<T>::write(value);
        }
        return out;
    }
    static void read(const Json& in, std::map<std::string, T>& values) {
        if (!in.is_object()) {
            throw Mismatch("must be an object");
        }
        values.clear();
        for (const auto& [name, item] : in.items()) {
            Value<T>::read(item, values[name]);
        }
    }
};

/// Details of events and decisions are an object; people read them in the order they were given,
/// programs by name.
template <>
struct Value<std::vector<std::pair<std::string, std::string>>> {
    using T = std::vector<std::pair<std::string, std::string>>;
    static Json write(const T& details);
    static void read(const Json& in, T& details);
};

template <class Io, class T>
requires std::same_as<Io, Writer>
void fields(Io& io, const List<T>& list) {
    io("items", list.items);
    io("next", list.next);
}

template <class Io, class T>
requires(!std::same_as<Io, Writer>) void fields(Io& io, List<T>& list) {
    io("items", list.items);
    io("next", list.next);
}

/// Bytes that are not UTF-8 (file names may have them) become U+FFFD.
std::string dump(const Json& value);

/// A text as JSON, at most 64 levels deep. Errors: invalid_request.
Result<Json> parse_json(std::string_view text,
                        std::size_t most_values = std::numeric_limits<std::size_t>::max());

/// How many values a request of so many bytes may have: thousands of tiny ones would take many
/// times its bytes in memory.
std::size_t most_values_of_request(std::size_t bytes);

template <class T>
std::string encode(const T& value) {
    return dump(Value<T>::write(value));
}

template <class T>
nlohmann::json to_value(const T& value) {
    return Value<T>::write(value);
}

template <class T>
Result<T> read_value(const Json& in) {
    try {
        T value{};
        Value<T>::read(in, value);
        return value;
    } catch (const Mismatch& mismatch) {
        return Error(Errc::invalid_request, mismatch.what());
    }
}

template <class T>
Result<T> decode(std::string_view text) {
    const auto json = parse_json(text);
    if (!json) {
        return json.error();
    }
    return read_value<T>(*json);
}

/// Errors: invalid_request for a key of `in` that is not in `known`.
Result<void> refuse_unknown(const Json& in, const std::vector<std::string>& known);

template <class T>
Result<T> decode_request(std::string_view text) {
    const auto json = parse_json(text.empty() ? std::string_view("{}") : text,
                                 most_values_of_request(text.size()));
    if (!json) {
        return json.error();
    }
    T probe{};
    Names names;
    fields(names, probe);
    const auto checked = refuse_unknown(*json, names.known());
    if (!checked) {
        return checked.error();
    }
    return read_value<T>(*json);
}

}  // namespace routerd::api

/// Makes the functions of codec.hpp for one type, whose table stands above in the same file.
/// Another file that holds such a type says `extern template struct Value<T>;`.
#define ROUTERD_API_CODEC(...)                                          \
    template struct Value<__VA_ARGS__>;                                 \
    template std::string encode<__VA_ARGS__>(const __VA_ARGS__&);       \
    template nlohmann::json to_value<__VA_ARGS__>(const __VA_ARGS__&);  \
    template Result<__VA_ARGS__> decode<__VA_ARGS__>(std::string_view); \
    template Result<__VA_ARGS__> decode_request<__VA_ARGS__>(std::string_view)
