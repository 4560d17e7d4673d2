#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace routerd {

/// Why an operation failed, as far as a caller can act on it. One list for both programs:
/// daemon/http/error_response.cpp maps it to HTTP, cmd/routerctl/exit_code.cpp to exit codes.
/// The names are the `code` values of the HTTP contract.
enum class Errc {
    internal,           ///< a bug or broken invariant here; also what a default Error says
    invalid_request,    ///< the caller sent something that can never work
    invalid_api_key,    ///< no key, or one that is not known
    forbidden,          ///< a known caller without the right to do this
    not_found,          ///< the named thing does not exist
    model_not_found,    ///< the same of a model
    conflict,           ///< it exists in a state that forbids this
    payload_too_large,  ///< over a limit of size
    rate_limited,       ///< this caller asked too often
    queue_full,         ///< the model's queue has no place left
    would_not_fit,      ///< the model does not fit, even with everything else gone
    load_failed,        ///< the model's server did not become ready
    quarantined,        ///< the model failed too often and is not tried again by itself
    deadline_exceeded,  ///< the caller's or our own deadline passed
    upstream_error,     ///< the model's server broke off or answered nonsense
    shutting_down,      ///< the daemon is stopping
    cancelled,          ///< the caller went away
    unavailable,        ///< something of ours would not serve (disk, database, socket)
    unreachable,        ///< no daemon answers at any address that was tried (clients only)
};

/// The contract's word for `code`: "queue_full".
std::string_view to_string(Errc code) noexcept;

/// The code for one of the words above, or nullopt.
std::optional<Errc> errc_from_string(std::string_view word) noexcept;

/// The figures of Errc::would_not_fit.
struct Fit {
    std::uint64_t required = 0;       ///< bytes on the device where they lack
    std::uint64_t available = 0;      ///< bytes there
    std::vector<std::string> loaded;  ///< models
};

/// A failure: a code for programs, a sentence for people (lower case, no full stop, user strings in
/// single ticks, numbers with units), and for people what to do next.
class Error {
  public:
    Error() = default;  // boost::system::result needs one (Boost 1.81, 1.83)
    [[gnu::cold]] Error(Errc code, std::string message)
        : code_(code), message_(std::move(message)) {}

    Errc code() const noexcept { return code_; }

    // What result.error() gives is a temporary: of such a one texts are moved out, not referred to.
    const std::string& message() const& noexcept { return message_; }
    std::string message() && noexcept { return std::move(message_); }

    /// What the user can do about it, one line without "hint:"; empty when there is nothing to say.
    const std::string& hint() const& noexcept { return hint_; }
    std::string hint() && noexcept { return std::move(hint_); }

    /// Which field of a request is at fault ("model"), or empty.
    const std::string& param() const& noexcept { return param_; }
    std::string param() && noexcept { return std::move(param_); }

    /// When the same call may work; nullopt when that is not known.
    std::optional<std::chrono::seconds> retry_after() const noexcept { return retry_after_; }

    /// What was to fit and did not; nullptr when it is not about that.
    const Fit* fit() const noexcept { return fit_.get(); }

    /// Puts what was being attempted in front: "load 'qwen3-8b': health check: timed out after 30
    /// s".
    [[gnu::cold]] Error within(const std::string& attempt) const;
    [[gnu::cold]] Error with_hint(std::string hint) const;
    [[gnu::cold]] Error with_param(std::string param) const;
    [[gnu::cold]] Error with_retry_after(std::chrono::seconds delay) const;
    [[gnu::cold]] Error with_fit(Fit fit) const;

  private:
    Errc code_ = Errc::internal;
    std::string message_ = "unspecified error";
    std::string hint_;
    std::string param_;
    std::optional<std::chrono::seconds> retry_after_;
    std::shared_ptr<const Fit> fit_;
};

/// Errc::unavailable with the text of `error_number` (an errno value):
/// errno_error("open '/x'", ENOENT) says "open '/x': No such file or directory".
[[gnu::cold]] Error errno_error(const std::string& attempt, int error_number);

}  // namespace routerd
