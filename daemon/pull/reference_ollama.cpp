#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "common/http/url.hpp"
#include "daemon/pull/reference_parts.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t longest_ollama_part = 80;  // Ollama's own limit

/// As Ollama makes them: letters, digits, '_' and '-', but for namespaces '.' too.
bool is_ollama_part(std::string_view part, bool may_have_dots) {
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    };
    const auto is_good = [&is_word, may_have_dots](char c) {
        return is_word(c) || c == '-' || (may_have_dots && c == '.');
    };
    return !part.empty() && part.size() <= longest_ollama_part && is_word(part.front()) &&
           std::all_of(part.begin(), part.end(), is_good) && part.back() != '.' &&
           part.find("..") == std::string_view::npos;
}

/// With a dot, a port or the one name without: "qwen3" alone is no host.
bool is_ollama_host(const std::string& host) {
    const auto url = http::parse_url("https://" + host);
    return url && url->target == "/" &&
           (host.find_first_of(".:") != std::string::npos || host == "localhost");
}

Error bad_ollama(std::string_view text, const std::string& why) {
    return Error(Errc::invalid_request, "'" + escaped(text) + "' names no model of Ollama: " + why)
        .with_hint(
            "write ollama://name[:tag], ollama://namespace/name[:tag] or "
            "ollama://host/namespace/name[:tag]");
}

}  // namespace

Result<Reference> parse_ollama_reference(std::string_view text) {
    auto rest = text.substr(0, text.find_first_of("?#"));
    OllamaReference reference;
    const auto slash = rest.rfind('/');
    const auto colon = rest.rfind(':');
    const bool has_tag =
        colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
    reference.tag = has_tag ? rest.substr(colon + 1) : "latest";
    const auto parts = split(rest.substr(0, has_tag ? colon : rest.size()), '/');
    if (parts.size() > 3) {
        return bad_ollama(text, "it has more than three parts");
    }
    reference.name = parts.back();
    reference.space = parts.size() > 1 ? parts[parts.size() - 2] : "library";
    reference.host = parts.size() > 2 ? to_lower(parts[0]) : "";
    if (parts.size() > 2 && (reference.host == "hf.co" || reference.host == "huggingface.co")) {
        return parse_hub_reference(text.substr(text.find('/') + 1));
    }
    if (reference.host == "registry.ollama.ai" || reference.host == "ollama.com") {
        reference.host.clear();
    }
    if (!reference.host.empty() && !is_ollama_host(reference.host)) {
        return bad_ollama(text, "'" + escaped(reference.host) + "' is not a host");
    }
    const bool good = is_ollama_part(reference.space, false) &&
                      is_ollama_part(reference.name, true) && is_ollama_part(reference.tag, true);
    if (!good) {
        return bad_ollama(text, "a part of it is empty or has characters that are not for names");
    }
    return Reference(std::move(reference));
}

}  // namespace routerd::pull
