#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/config/raw_value.hpp"
#include "common/config/schema.hpp"

namespace routerd {

/// How values of one kind are read, printed and named. What text() gives, read() takes.
template <class T>
struct ValueType {
    std::string name;  ///< for the manual: "size"
    std::function<Result<T>(const RawValue&)> read;
    std::function<std::string(const T&)> text;
    bool is_string = false;  ///< TOML wants it in quotes
};

using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;
using SizeMap = std::map<std::string, std::uint64_t>;

/// Says what is wrong with a string, or nothing.
using StringCheck = std::function<std::string(const std::string&)>;

ValueType<std::string> string_type(StringCheck check = {});
ValueType<std::string> choice_type(const Strings& words);
ValueType<bool> boolean_type();
ValueType<double> number_type(double least, double most);
ValueType<Duration> duration_type(Duration least, Duration most);
ValueType<std::uint64_t> size_type(std::uint64_t least, std::uint64_t most);

/// From text: a JSON array, or parts between commas.
ValueType<Strings> strings_type(StringCheck check = {});

/// From text: a JSON array, or words as a shell splits them.
ValueType<Strings> words_type();

/// A table of sizes by name; from text: "host=2GiB,cuda0=512MiB".
ValueType<SizeMap> sizes_type();

/// For enumerations: words and what they stand for.
template <class T>
ValueType<T> named_type(std::vector<std::pair<std::string, T>> names);

/// A whole number from `least` to `most`.
template <class T>
ValueType<T> count_type(T least, T most);

/// One entry of `set` (JSON) and of `env` (text).
Result<std::string> read_json_entry(const RawValue& value);
Result<std::string> read_string_entry(const RawValue& value);

/// What is wrong with a value; invalid_request.
Error invalid_value(std::string message);

/// "must be a size (examples: …), not a boolean"
Error wrong_type(const std::string& wanted, const RawValue& value);

/// A whole number within bounds. Errors: invalid_request.
Result<std::int64_t> read_integer(const RawValue& value, std::int64_t least, std::int64_t most);

template <class T>
ValueType<T> named_type(std::vector<std::pair<std::string, T>> names) {
    Strings words;
    for (const auto& [word, meaning] : names) {
        words.push_back(word);
    }
    const auto choice = choice_type(words);
    const auto read = [names, choice](const RawValue& value) -> Result<T> {
        const auto word = choice.read(value);
        if (!word) {
            return word.error();
        }
        T found = names.front().second;
        for (const auto& [name, meaning] : names) {
            found = name == *word ? meaning : found;
        }
        return found;
    };
    const auto text = [names = std::move(names)](const T& value) {
        std::string word;
        for (const auto& [name, meaning] : names) {
            word = meaning == value ? name : word;
        }
        return word;
    };
    return {choice.name, read, text, true};
}

template <class T>
ValueType<T> count_type(T least, T most) {
    const auto read = [least, most](const RawValue& value) -> Result<T> {
        const auto number =
            read_integer(value, static_cast<std::int64_t>(least), static_cast<std::int64_t>(most));
        if (!number) {
            return number.error();
        }
        return static_cast<T>(*number);
    };
    return {"whole number", read, [](const T& value) { return std::to_string(value); }, false};
}

}  // namespace routerd
