#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "common/base/result.hpp"

namespace routerd::api {

/// JSON for the types of this room, one set of functions for all: T is any struct of common/api
/// (or a List of one); they are instantiated beside each type's table of fields. Every key is
/// always written, absent values as null, so that the shape never changes.

template <class T>
std::string encode(const T& value);

/// As a JSON value, for output by field name; include <nlohmann/json.hpp> to use it.
template <class T>
nlohmann::json to_value(const T& value);

/// Reads an answer: unknown keys are skipped and missing ones keep their defaults, so that programs
/// of different versions understand each other. Errors: invalid_request, with the field's name.
template <class T>
Result<T> decode(std::string_view text);

/// Reads a request: as decode, but an unknown key is an error that names the nearest known one.
/// An empty text is an empty object.
template <class T>
Result<T> decode_request(std::string_view text);

}  // namespace routerd::api
