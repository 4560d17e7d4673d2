#include "daemon/pull/sources/hub_listing.hpp"

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"
#include "common/http/url.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/pull/names.hpp"
#include "daemon/pull/sources/answer.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t commit_digits = 40;
constexpr std::size_t most_left_out_notes = 10;
constexpr std::size_t most_repository_files = 20'000;

/// The hub answers 401 for what does not exist, too, to those without a token.
Error refused_by_hub(const Document& document, bool has_token) {
    const bool gated = header_of(document, "x-error-code") == "GatedRepo";
    const Error error(Errc::forbidden,
                      gated ? "it is gated: its owners decide who may have it"
                            : "the hub refuses it with status " + std::to_string(document.status));
    if (gated) {
        return error.with_hint(has_token
                                   ? "ask for access on its page, with the account of the token"
                                   : "ask for access on its page, then pull with a token: HF_TOKEN "
                                     "or --token-file");
    }
    return error.with_hint(has_token ? "check the spelling, and that the token may read it"
                                     : "check the spelling; what is private or gated needs a "
                                       "token: HF_TOKEN or --token-file");
}

Result<nlohmann::json> read_answer(const Document& document, bool has_token) {
    if (document.status == 401 || document.status == 403) {
        return refused_by_hub(document, has_token);
    }
    if (document.status == 404) {
        const bool revision = header_of(document, "x-error-code") == "RevisionNotFound";
        return Error(Errc::not_found,
                     revision ? "it has no such revision" : "the hub has no such repository")
            .with_hint(has_token || revision
                           ? "check the spelling"
                           : "check the spelling; what is private needs a token: HF_TOKEN or "
                             "--token-file");
    }
    return json_of(document);
}

bool is_commit(std::string_view text) {
    return text.size() == commit_digits && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

/// `false`, "auto" or "manual".
bool says_gated(const nlohmann::json& listing) {
    const auto found = listing.is_object() ? listing.find("gated") : listing.end();
    return found != listing.end() && (found->is_string() || *found == true);
}

}  // namespace

HubAddresses::HubAddresses(std::string endpoint, const HubReference& reference)
    : endpoint_(std::move(endpoint)),
      repo_(percent_encoded(reference.org) + "/" + percent_encoded(reference.repo)),
      revision_(percent_encoded(reference.revision.empty() ? "main" : reference.revision)) {
    while (endpoint_.ends_with('/')) {
        endpoint_.pop_back();
    }
}

bool HubAddresses::is_hub() const {
    return endpoint_ == hub_endpoint;
}

std::string HubAddresses::revision() const {
    return endpoint_ + "/api/models/" + repo_ + "/revision/" + revision_;
}

std::string HubAddresses::tree(const std::string& commit) const {
    return endpoint_ + "/api/models/" + repo_ + "/tree/" + commit + "?recursive=true";
}

std::string HubAddresses::file(const std::string& commit, const std::string& path) const {
    return endpoint_ + "/" + repo_ + "/resolve/" + commit + "/" + percent_encoded_path(path);
}

Result<HubCommit> read_commit(const Document& document, bool has_token) {
    const auto json = read_answer(document, has_token);
    if (!json) {
        return json.error();
    }
    HubCommit commit{text_member(*json, "sha"), says_gated(*json)};
    if (!is_commit(commit.sha)) {
        return Error(Errc::upstream_error, "the hub names no commit");
    }
    return commit;
}

Result<void> read_page(const Document& document, bool has_token, std::vector<RepositoryFile>& files,
                       std::vector<std::string>& notes) {
    const auto json = read_answer(document, has_token);
    if (!json) {
        return json.error();
    }
    if (!json->is_array()) {
        return Error(Errc::upstream_error, "the hub's listing is no list");
    }
    for (const auto& entry : *json) {
        auto path = text_member(entry, "path");
        if (text_member(entry, "type") != "file") {
            continue;
        }
        const auto checked = checked_path(path);
        if (!checked) {
            if (is_gguf_name(base_name(path)) && notes.size() < most_left_out_notes) {
                notes.push_back("left out: " + checked.error().message());
            }
            continue;
        }
        if (files.size() == most_repository_files) {
            return Error(
                Errc::upstream_error,
                "its listing has more than " + std::to_string(most_repository_files) + " files");
        }
        const auto large = entry.find("lfs");
        const auto sha256 = large != entry.end() ? text_member(*large, "oid") : std::string();
        const auto size = large != entry.end() ? count_member(*large, "size") : std::nullopt;
        files.push_back({std::move(path), size ? size : count_member(entry, "size"),
                         is_sha256(sha256) ? sha256 : std::string()});
    }
    return {};
}

Result<std::string> address_after(const Document& page, const std::string& url) {
    const auto link = next_page(page);
    if (link.empty()) {
        return std::string();
    }
    const auto here = http::parse_url(url);
    if (!here) {
        return here.error();
    }
    const auto next = http::resolve_location(*here, link);
    if (!next || !http::same_origin(*here, *next)) {
        return Error(Errc::upstream_error, "its listing goes on at another host");
    }
    return next->text();
}

}  // namespace routerd::pull
