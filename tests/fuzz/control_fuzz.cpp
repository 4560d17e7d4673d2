// Reads arbitrary bytes as the body of each control request that has one. Beside crashes, what is
// thrown and sanitizers' findings, a run fails when a refusal does not say why, when a body is
// taken that a plain JSON parser reads otherwise, or when what was taken is not the same again
// after it was written and read back.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/api/codec.hpp"
#include "common/api/estimate.hpp"
#include "common/api/model.hpp"
#include "common/api/profile.hpp"
#include "common/api/switch.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using nlohmann::json;
using routerd::Errc;
using routerd::fuzz::require;
namespace api = routerd::api;

/// Null is the same as absent, and an empty body the same as an empty object.
void check_meaning(const json& body, const json& taken) {
    require(body.is_object(), "a body is an object");
    for (const auto& [key, value] : body.items()) {
        require(taken.contains(key), "only known keys are taken");
        require(value.is_null() || taken.at(key) == value, "a value is taken as it is");
    }
}

template <class T>
void check(std::string_view text, const json& body) {
    const auto request = api::decode_request<T>(text);
    const auto answer = api::decode<T>(text);  // as a client reads it, more tolerantly
    if (!request) {
        require(!request.error().message().empty(), "a refusal says why");
        require(request.error().code() == Errc::invalid_request, "the body is at fault");
        return;
    }
    const auto taken = api::to_value(*request);
    require(text.find('\0') == std::string_view::npos, "nothing follows what is taken");
    if (!text.empty()) {
        check_meaning(body, taken);
        require(answer && api::to_value(*answer) == taken, "requests are read as answers are");
    }
    const auto again = api::decode_request<T>(api::encode(*request));
    require(again && api::to_value(*again) == taken, "what was written can be read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = routerd::fuzz::text_of(data, size);
    const auto body = json::parse(text, nullptr, false);
    check<api::SwitchRequest>(text, body);
    check<api::EstimateRequest>(text, body);
    check<api::Profile>(text, body);
    check<api::ModelChange>(text, body);
    check<api::RescanRequest>(text, body);
    return 0;
}
