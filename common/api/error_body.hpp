#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"

namespace routerd::api {

struct ErrorInfo {
    std::string message;
    std::string type;
    std::string code;   ///< a word of Errc
    std::string param;  ///< the field at fault; empty: none
    std::string hint;   ///< what to do about it; empty: nothing to say
    std::optional<std::chrono::seconds> retry_after;
    std::optional<std::uint64_t> required_mb;  ///< would_not_fit: MiB on the device that lacks them
    std::optional<std::uint64_t> available_mb;  ///< the same: MiB there for models
    std::optional<std::vector<std::string>> loaded_models;
};

/// {"error": {…}} as the control API and the OpenAI paths send it.
struct ErrorBody {
    ErrorInfo error;

    static ErrorBody from(const Error& error);

    /// The Error it was made from. A code that is not known is judged by the HTTP `status`.
    Error to_error(unsigned status) const;
};

}  // namespace routerd::api
