#include "common/base/error.hpp"

#include <array>
#include <system_error>

namespace routerd {
namespace {

struct Name {
    Errc code;
    std::string_view word;
};

constexpr std::array names{
    Name{Errc::internal, "internal_error"},
    Name{Errc::invalid_request, "invalid_request"},
    Name{Errc::invalid_api_key, "invalid_api_key"},
    Name{Errc::forbidden, "forbidden"},
    Name{Errc::not_found, "not_found"},
    Name{Errc::model_not_found, "model_not_found"},
    Name{Errc::conflict, "conflict"},
    Name{Errc::payload_too_large, "payload_too_large"},
    Name{Errc::rate_limited, "rate_limited"},
    Name{Errc::queue_full, "queue_full"},
    Name{Errc::would_not_fit, "would_not_fit"},
    Name{Errc::load_failed, "load_failed"},
    Name{Errc::quarantined, "quarantined"},
    Name{Errc::deadline_exceeded, "deadline_exceeded"},
    Name{Errc::upstream_error, "upstream_error"},
    Name{Errc::shutting_down, "shutting_down"},
    Name{Errc::cancelled, "cancelled"},
    Name{Errc::unavailable, "unavailable"},
    Name{Errc::unreachable, "unreachable"},
};

}  // namespace

std::string_view to_string(Errc code) noexcept {
    for (const auto& name : names) {
        if (name.code == code) {
            return name.word;
        }
    }
    return "internal_error";
}

std::optional<Errc> errc_from_string(std::string_view word) noexcept {
    for (const auto& name : names) {
        if (name.word == word) {
            return name.code;
        }
    }
    return std::nullopt;
}

Error Error::within(const std::string& attempt) const {
    Error outer = *this;
    outer.message_ = attempt + ": " + message_;
    return outer;
}

Error Error::with_hint(std::string hint) const {
    Error helpful = *this;
    helpful.hint_ = std::move(hint);
    return helpful;
}

Error Error::with_param(std::string param) const {
    Error precise = *this;
    precise.param_ = std::move(param);
    return precise;
}

Error Error::with_retry_after(std::chrono::seconds delay) const {
    Error patient = *this;
    patient.retry_after_ = delay;
    return patient;
}

Error Error::with_fit(Fit fit) const {
    Error explained = *this;
    explained.fit_ = std::make_shared<const Fit>(std::move(fit));
    return explained;
}

Error errno_error(const std::string& attempt, int error_number) {
    return {Errc::unavailable, attempt + ": " + std::generic_category().message(error_number)};
}

}  // namespace routerd
