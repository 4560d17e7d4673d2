#include "daemon/pull/reference.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/text.hpp"
#include "common/http/url.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/pull/names.hpp"
#include "daemon/pull/reference_parts.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t longest_reference = 4096;
constexpr std::size_t longest_shown_reference = 200;  // bytes of it in a message
constexpr std::string_view local_host = "localhost";  // RFC 8089 2
constexpr const char* forms =
    "write org/repo[:QUANT], ollama://name[:tag], https://host/file.gguf or file:///path";

Error bad_reference(std::string_view text, const std::string& why) {
    return {Errc::invalid_request,
            "'" + escaped(text.substr(0, longest_shown_reference)) + "' names no model: " + why};
}

/// Takes `prefix`, in any case, from the front of `text`.
bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (text.size() < prefix.size() || !iequals(text.substr(0, prefix.size()), prefix)) {
        return false;
    }
    text.remove_prefix(prefix.size());
    return true;
}

bool take_any(std::string_view& text, const auto& prefixes) {
    for (const std::string_view prefix : prefixes) {
        if (take_prefix(text, prefix)) {
            return true;
        }
    }
    return false;
}

Result<Reference> parse_file(std::string_view text) {
    auto rest = text;
    const bool has_slashes = take_prefix(rest, "file://");
    if (iequals(rest.substr(0, local_host.size()), local_host)) {
        rest.remove_prefix(local_host.size());
    }
    auto path = percent_decoded(rest);
    if (!has_slashes || !path.starts_with('/')) {
        return bad_reference(text, "the path of a file begins with a slash")
            .with_hint("write three slashes: file:///path/to/model.gguf");
    }
    const auto parts = split(path, '/');
    if (escaped(path) != path || std::find(parts.begin(), parts.end(), "..") != parts.end()) {
        return bad_reference(text, "'..' or a character that is not for names is in it");
    }
    if (!is_gguf_name(base_name(path))) {
        return bad_reference(text, "the file does not end in .gguf");
    }
    return Reference(FileReference{std::move(path)});
}

Result<Reference> parse_web(std::string_view text) {
    const auto url = http::parse_url(text);
    if (!url) {
        return url.error();
    }
    const auto name = name_in_url(text);
    if (!name) {
        return name.error();
    }
    return Reference(UrlReference{std::string(text)});
}

/// What is wrong with `text` whatever it names; nothing when it is good.
Result<void> check_characters(std::string_view text, bool may_have_spaces) {
    if (text.empty()) {
        return Error(Errc::invalid_request, "no model is named").with_hint(forms);
    }
    if (text.size() > longest_reference) {
        return bad_reference(text, "longer than " + std::to_string(longest_reference) + " bytes");
    }
    if (escaped(text) != text) {
        return bad_reference(text, "a character of it is not for names");
    }
    if (!may_have_spaces && text.find(' ') != std::string_view::npos) {
        return bad_reference(text, "a space is in it").with_hint(forms);
    }
    if (text.find('\\') != std::string_view::npos) {
        return bad_reference(text, "a backslash is in it")
            .with_hint("a file of this machine is file:///path/to/model.gguf");
    }
    return {};
}

Result<Reference> parse_plain(std::string_view text) {
    if (text.front() == '/' || text.front() == '~' || text.front() == '.') {
        return bad_reference(text, "it looks like a file of this machine")
            .with_hint("write file:// in front of its absolute path");
    }
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
        return bad_reference(text, "'" + std::string(text.substr(0, scheme)) +
                                       "://' is not something to pull from")
            .with_hint(forms);
    }
    if (text.find('/') == std::string_view::npos) {
        return bad_reference(text, "it has no owner")
            .with_hint("write ollama://" + escaped(text.substr(0, longest_shown_reference)) +
                       " for Ollama's registry, or org/repo for the hub");
    }
    return parse_hub_reference(text);
}

}  // namespace

Result<Reference> parse_reference(std::string_view text) {
    constexpr std::array hub_places{
        "hf://",
        "hf.co/",
        "huggingface.co/",
        "https://huggingface.co/",
        "https://www.huggingface.co/",
        "https://hf.co/",
        "http://huggingface.co/",
        "http://hf.co/",
    };
    constexpr std::array ollama_places{"ollama://", "https://ollama.com/", "ollama.com/",
                                       "registry.ollama.ai/"};
    auto rest = text;
    const bool is_file = take_prefix(rest, "file:");
    if (const auto good = check_characters(text, is_file); !good) {
        return good.error();
    }
    if (is_file) {
        return parse_file(text);
    }
    if (take_any(rest, hub_places)) {
        return parse_hub_reference(rest);
    }
    if (take_any(rest, ollama_places)) {
        return parse_ollama_reference(rest);
    }
    if (take_prefix(rest, "https://") || take_prefix(rest, "http://")) {
        return parse_web(text);
    }
    return parse_plain(text);
}

}  // namespace routerd::pull
