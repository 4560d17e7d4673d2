#include "daemon/pull/sources/answer.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace routerd::pull {

std::string_view header_of(const Document& document, std::string_view name) {
    for (const auto& [key, value] : document.headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

Result<nlohmann::json> json_of(const Document& document) {
    if (document.status != 200) {
        const Error error(Errc::upstream_error,
                          "it answers with status " + std::to_string(document.status));
        return document.status == 429 || document.status >= 500 ? error.with_hint("try again later")
                                                                : error;
    }
    auto json = nlohmann::json::parse(document.body, nullptr, false);
    if (json.is_discarded()) {
        return Error(Errc::upstream_error, "its answer is not JSON");
    }
    return json;
}

std::string text_member(const nlohmann::json& json, const char* name) {
    const auto found = json.is_object() ? json.find(name) : json.end();
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::uint64_t> count_member(const nlohmann::json& json, const char* name) {
    const auto found = json.is_object() ? json.find(name) : json.end();
    return found != json.end() && found->is_number_unsigned()
               ? std::optional(found->get<std::uint64_t>())
               : std::nullopt;
}

bool is_sha256(std::string_view text) noexcept {
    return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string_view next_page(const Document& document) {
    auto rest = header_of(document, "link");
    for (auto open = rest.find('<'); open != std::string_view::npos; open = rest.find('<')) {
        const auto close = rest.find('>', open);
        if (close == std::string_view::npos) {
            break;
        }
        const auto target = rest.substr(open + 1, close - open - 1);
        rest.remove_prefix(close + 1);
        const auto parameters = to_lower(rest.substr(0, rest.find('<')));
        if (parameters.find("rel=\"next\"") != std::string::npos ||
            parameters.find("rel=next") != std::string::npos) {
            return target;
        }
    }
    return {};
}

}  // namespace routerd::pull
