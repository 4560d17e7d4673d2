#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/pull/names.hpp"
#include "daemon/pull/reference_parts.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t longest_hub_name = 96;  // the hub's own limit
constexpr std::size_t longest_tag = 200;
constexpr std::size_t longest_revision = 200;

bool is_hub_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

bool holds(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// As the hub makes them: letters, digits, '-', '_' and '.', none of '-' and '.' at an end or
/// twice.
bool is_hub_name(std::string_view name) {
    const auto is_edge = [](char c) { return c == '-' || c == '.'; };
    return !name.empty() && name.size() <= longest_hub_name &&
           std::all_of(name.begin(), name.end(), is_hub_character) && !is_edge(name.front()) &&
           !is_edge(name.back()) && !holds(name, "..") && !holds(name, "--");
}

bool is_tag(std::string_view tag) {
    return !tag.empty() && tag.size() <= longest_tag && tag.front() != '.' && tag.front() != '-' &&
           std::all_of(tag.begin(), tag.end(), is_hub_character) && !holds(tag, "..");
}

/// A branch may have slashes: "refs/pr/3".
bool is_revision(std::string_view revision) {
    const auto parts = split(revision, '/');
    return revision.size() <= longest_revision && std::all_of(parts.begin(), parts.end(), is_tag);
}

Error bad_hub(std::string_view text, const std::string& why) {
    return {Errc::invalid_request, "'" + escaped(text) + "' names no repository: " + why};
}

/// Takes what comes after the last `mark` from the end of `text`; false: there is none.
bool take_after(std::string_view& text, char mark, std::string& taken) {
    const auto at = text.rfind(mark);
    if (at == std::string_view::npos) {
        return false;
    }
    taken = text.substr(at + 1);
    text = text.substr(0, at);
    return true;
}

Result<Reference> with_names(HubReference reference, std::string_view text) {
    if (reference.org == "datasets" || reference.org == "spaces") {
        return bad_hub(text, reference.org + " hold no models");
    }
    for (const auto& name : {reference.org, reference.repo}) {
        if (!is_hub_name(name)) {
            return bad_hub(text, "'" + escaped(name) + "' is not a name on the hub")
                .with_hint("write org/repo[:QUANT], as the hub shows it");
        }
    }
    return Reference(std::move(reference));
}

/// "resolve/main/dir/FILE", "blob/…", "tree/main", or "FILE.gguf" behind org/repo. A branch with
/// slashes cannot be told from folders there; browsers write refs%2Fpr%2F3.
Result<void> read_rest(std::string_view rest, std::string_view text, HubReference& reference) {
    const auto end = rest.find('/');
    const auto verb = rest.substr(0, end);
    const bool is_file = verb == "resolve" || verb == "blob" || verb == "raw";
    auto path = rest;
    if (is_file || verb == "tree") {
        const auto after =
            end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        const auto slash = after.find('/');
        reference.revision = percent_decoded(after.substr(0, slash));
        path = slash == std::string_view::npos ? std::string_view() : after.substr(slash + 1);
        if (!is_revision(reference.revision)) {
            return bad_hub(text, "'" + escaped(reference.revision) + "' is not a revision");
        }
        if (verb == "tree" && path.empty()) {
            return {};
        }
    }
    auto file = checked_path(percent_decoded(path));
    if (!file) {
        return bad_hub(text, file.error().message());
    }
    if (!is_gguf_name(base_name(*file))) {
        return bad_hub(text, "'" + escaped(*file) + "' is not a GGUF file")
            .with_hint("write org/repo[:QUANT], or use --include for some of its files");
    }
    reference.file = std::move(*file);
    return {};
}

}  // namespace

Result<Reference> parse_hub_reference(std::string_view text) {
    auto rest = text.substr(0, text.find_first_of("?#"));
    while (rest.ends_with('/')) {
        rest.remove_suffix(1);
    }
    HubReference reference;
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) {
        return bad_hub(text, "it is not org/repo");
    }
    reference.org = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
    const auto next = rest.find('/');
    const auto repo = rest.substr(0, next);
    const bool has_more = next != std::string_view::npos && !holds(repo, "@");
    if (has_more) {
        reference.repo = repo;
        const auto read = read_rest(rest.substr(next + 1), text, reference);
        return read ? with_names(std::move(reference), text) : read.error();
    }
    const bool has_tag = take_after(rest, ':', reference.tag);
    const bool has_revision = take_after(rest, '@', reference.revision);
    reference.repo = rest;
    if (has_tag && !is_tag(reference.tag)) {
        return bad_hub(text, "'" + escaped(reference.tag) + "' is not a quantization")
            .with_hint("such are Q4_K_M, Q8_0, IQ4_XS, BF16");
    }
    if (has_revision && !is_revision(reference.revision)) {
        return bad_hub(text, "'" + escaped(reference.revision) + "' is not a revision");
    }
    return with_names(std::move(reference), text);
}

}  // namespace routerd::pull
