#include "daemon/gguf/value.hpp"

#include <utility>

namespace routerd::gguf {
namespace {

template <class T>
std::optional<std::uint64_t> whole(Input& input) {
    const T value = input.number<T>();
    if (!std::in_range<std::uint64_t>(value)) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(value);
}

std::optional<std::uint64_t> read_flag(Input& input) {
    const auto byte = input.number<std::uint8_t>();
    if (byte > 1) {
        input.fail(Errc::invalid_request,
                   "a flag has the value " + std::to_string(static_cast<unsigned>(byte)));
    }
    return byte;
}

/// A number or flag; nullopt for floats and for what is negative.
std::optional<std::uint64_t> read_scalar(Input& input, ValueType type) {
    switch (type) {
        case ValueType::u8:
            return whole<std::uint8_t>(input);
        case ValueType::i8:
            return whole<std::int8_t>(input);
        case ValueType::u16:
            return whole<std::uint16_t>(input);
        case ValueType::i16:
            return whole<std::int16_t>(input);
        case ValueType::u32:
            return whole<std::uint32_t>(input);
        case ValueType::i32:
            return whole<std::int32_t>(input);
        case ValueType::u64:
            return whole<std::uint64_t>(input);
        case ValueType::i64:
            return whole<std::int64_t>(input);
        case ValueType::boolean:
            return read_flag(input);
        case ValueType::f32:
        case ValueType::f64:
        case ValueType::string:
        case ValueType::array:
            break;
    }
    input.skip(value_bytes(type));
    return std::nullopt;
}

bool is_float(ValueType type) noexcept {
    return type == ValueType::f32 || type == ValueType::f64;
}

void skip_strings(Input& input, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count && input.ok(); ++i) {
        input.skip(input.number<std::uint64_t>());
    }
}

void fail_type(Input& input, const char* what, ValueType type) {
    input.fail(Errc::invalid_request, std::string(what) + " of unknown type " +
                                          std::to_string(static_cast<std::uint32_t>(type)) +
                                          " at byte " + std::to_string(input.offset()));
}

void read_array(Input& input, const Wanted& wanted, Value& value) {
    const auto type = static_cast<ValueType>(input.number<std::uint32_t>());
    value.length = input.number<std::uint64_t>();
    if (type == ValueType::array) {
        input.fail(Errc::invalid_request, "an array of arrays");
        return;
    }
    const std::uint64_t unit =
        type == ValueType::string ? sizeof(std::uint64_t) : value_bytes(type);
    if (unit == 0) {
        fail_type(input, "an array", type);
        return;
    }
    if (value.length > input.remaining() / unit) {
        input.fail(Errc::invalid_request,
                   "an array of " + std::to_string(value.length) + " elements goes past the end");
        return;
    }
    if (type == ValueType::string) {
        skip_strings(input, value.length);
        return;
    }
    if (value.length > wanted.list_length || is_float(type)) {
        input.skip(value.length * unit);
        return;
    }
    input.charge(value.length * sizeof(std::uint64_t));
    for (std::uint64_t i = 0; i < value.length && input.ok(); ++i) {
        value.list.push_back(read_scalar(input, type).value_or(0));
    }
}

void read_text(Input& input, const Wanted& wanted, Value& value) {
    value.length = input.number<std::uint64_t>();
    if (value.length <= wanted.text_bytes) {
        value.text = input.text(value.length);
        return;
    }
    input.skip(value.length);
}

}  // namespace

Value read_value(Input& input, const Wanted& wanted) {
    Value value;
    value.type = static_cast<ValueType>(input.number<std::uint32_t>());
    if (value.type == ValueType::string) {
        read_text(input, wanted, value);
    } else if (value.type == ValueType::array) {
        read_array(input, wanted, value);
    } else if (value_bytes(value.type) == 0) {
        fail_type(input, "a value", value.type);
    } else {
        value.number = read_scalar(input, value.type);
    }
    return value;
}

}  // namespace routerd::gguf
