#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "daemon/proxy/json_text.hpp"

namespace routerd {

/// What of a request body decides its way.
struct Peeked {
    std::optional<std::string> model;  ///< absent: the body has no such field, or it is null
    bool stream = false;
};

/// How many bytes behind a body may be read; what they are has no influence.
inline constexpr std::size_t peek_padding = json_padding;

/// Looks at the top-level fields of a JSON object without building anything of the rest. Behind
/// `body`, peek_padding bytes must be readable. Of a repeated field the last one counts, as for
/// every JSON reader behind us. What is inside other fields is skipped, not checked, and in a large
/// body so is what comes behind the object: the server says what is wrong there. Errors:
/// invalid_request, saying where the JSON ends to be JSON.
Result<Peeked> peek_padded(std::string_view body);

/// The same for a body in a string, which grows in capacity.
Result<Peeked> peek(std::string& body);

/// How the conversation of a body that passed peek_padded() begins, as it is written: the messages
/// (or input) up to the first of the user's, or the first half kilobyte of a prompt. Each later
/// request of the conversation begins so, too. Part of the body, so it must not outlive that;
/// empty: there is nothing such.
std::string_view opening_padded(std::string_view body);

/// A number for the conversation that begins so: the same for each of its requests, another one
/// (as good as always) for others; 0 for an empty opening.
std::uint64_t conversation_of(std::string_view opening) noexcept;

/// Sets and removes top-level fields by splicing; all other bytes stay as they came. `set`: name →
/// JSON text of the value. `body` must have passed peek_padded() and be padded as there. Errors:
/// invalid_request.
Result<std::string> rewrite_padded(std::string_view body,
                                   const std::map<std::string, std::string>& set,
                                   const std::vector<std::string>& strip);

/// The same for a body in a string, which grows in capacity.
Result<std::string> rewrite_fields(std::string& body, const std::map<std::string, std::string>& set,
                                   const std::vector<std::string>& strip);

}  // namespace routerd
