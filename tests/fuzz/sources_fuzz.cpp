// What names a model, what sources answer about it, and what is kept of both. The first byte
// chooses: 0 a reference; 1 the hub's list of files, behind lines with a reference, with globs or a
// size that is to be kept to, and with the Link of the answer; 2 a manifest of Ollama's registry,
// behind a line with a reference; 3 a model's parameters there, or its template; 4 a kept plan.
// Beside crashes and sanitizers' findings, a run fails when a plan leads out of its folder or to
// another host, holds a setting that cannot be set, or is another one after it was kept; and when
// what people are told does not fit a terminal.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/config/model_keys.hpp"
#include "common/http/url.hpp"
#include "daemon/pull/names.hpp"
#include "daemon/pull/plan_json.hpp"
#include "daemon/pull/reference.hpp"
#include "daemon/pull/sources/answer.hpp"
#include "daemon/pull/sources/hub_plan.hpp"
#include "daemon/pull/sources/ollama_manifest.hpp"
#include "daemon/pull/sources/ollama_plan.hpp"
#include "daemon/pull/sources/ollama_template.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using namespace routerd::pull;
using nlohmann::json;
using routerd::Errc;
using routerd::Error;
using routerd::escaped;
using routerd::split;
using routerd::fuzz::require;
using routerd::fuzz::take_first_line;
namespace http = routerd::http;

constexpr const char* commit = "0123456789abcdef0123456789abcdef01234567";
constexpr std::size_t longest_note = 8192;

void check_shown(const std::string& text) {
    require(escaped(text) == text, "what is told fits a terminal");
}

void check_error(const Error& error) {
    require(!error.message().empty(), "a refusal says why");
    check_shown(error.message());
    check_shown(error.hint());
}

/// By rules of its own: below a folder, and a name for any file system.
void check_path(const std::string& path, std::size_t longest) {
    require(!path.empty() && path.size() <= longest, "a path has a length");
    require(path.find_first_of(std::string_view("\0\\", 2)) == std::string::npos, "one meaning");
    for (const auto part : split(path, '/')) {
        require(!part.empty() && part.size() <= 255, "a part is a name");
        require(part.front() != '.' && part.back() != '.' && part.back() != ' ', "in view");
    }
    check_shown(path);
}

void check_kept(const Plan& plan) {
    const auto again = plan_from_json(to_json(plan));
    require(again && *again == plan, "a plan that was kept is the same");
}

void check_plan(const Plan& plan) {
    // One of a source, in org/repo; and a projector goes into a folder that it was not in.
    constexpr std::size_t longest_path = 1024 + 2 * 97 + 255;
    check_shown(plan.name);
    require(!plan.name.empty() && !plan.files.empty(), "a plan has a name and files");
    std::set<std::string> paths;
    for (const auto& file : plan.files) {
        check_path(file.path, longest_path);
        require(paths.insert(file.path).second, "each file has a place of its own");
        require(http::parse_url(file.url).has_value(), "it comes from somewhere");
        require(file.sha256.empty() || is_sha256(file.sha256), "a digest is one");
    }
    for (const auto& note : plan.notes) {
        check_shown(note);
        require(!note.empty() && note.size() <= longest_note, "a note can be read");
    }
    check_kept(plan);
}

/// As it may be typed.
std::string typed(const HubReference& reference) {
    if (!reference.file.empty()) {
        const auto revision = reference.revision.empty() ? "main" : reference.revision;
        return reference.id() + "/resolve/" + percent_encoded(revision) + "/" +
               percent_encoded_path(reference.file);
    }
    return reference.id() + (reference.revision.empty() ? "" : "@" + reference.revision) +
           (reference.tag.empty() ? "" : ":" + reference.tag);
}

void check_hub_reference(const HubReference& reference) {
    require(split(reference.id(), '/').size() == 2, "org/repo");
    check_path(reference.id(), 2 * 97);
    require(reference.tag.find_first_of("/%") == std::string::npos, "a tag is one word");
    require(reference.file.empty() || reference.tag.empty(), "a file, or one to choose");
    if (!reference.file.empty()) {
        check_path(reference.file, 1024);
    }
    for (const auto part : split(reference.revision, '/')) {
        require(part != "." && part != "..", "a revision stays where it is in a URL");
    }
    const auto again = parse_reference(typed(reference));
    const auto* hub = again ? std::get_if<HubReference>(&*again) : nullptr;
    require(hub != nullptr && typed(*hub) == typed(reference), "what is written reads the same");
}

void check_ollama_reference(const OllamaReference& reference) {
    for (const auto& part : {reference.space, reference.name, reference.tag}) {
        check_path(part, 80);
        require(part.find_first_of("/:%") == std::string::npos, "a part is one");
    }
    const auto host = reference.host.empty() ? "" : reference.host + "/";
    const auto again = parse_reference("ollama://" + host + reference.space + "/" + reference.name +
                                       ":" + reference.tag);
    const auto* same = again ? std::get_if<OllamaReference>(&*again) : nullptr;
    require(same != nullptr && model_name(*same) == model_name(reference),
            "what is written reads the same");
}

void check_reference(std::string_view text) {
    const auto reference = parse_reference(text);
    if (!reference) {
        check_error(reference.error());
        require(reference.error().code() == Errc::invalid_request, "the text is at fault");
        return;
    }
    if (const auto* hub = std::get_if<HubReference>(&*reference)) {
        check_hub_reference(*hub);
    } else if (const auto* ollama = std::get_if<OllamaReference>(&*reference)) {
        check_ollama_reference(*ollama);
    } else if (const auto* web = std::get_if<UrlReference>(&*reference)) {
        const auto name = name_in_url(web->url);
        require(name && http::parse_url(web->url), "a URL with a name");
        check_path(*name, 255);
        require(name->find('/') == std::string::npos, "a name has no folder");
    } else {
        const auto& path = std::get<FileReference>(*reference).path;
        require(path.starts_with('/') && path.find('\0') == std::string::npos,
                "a path from the root");
        require(("/" + path + "/").find("/../") == std::string::npos, "without a way back");
    }
}

/// The one that `line` names, or one like any other.
template <class T>
T reference_or(std::string_view line, T other) {
    const auto reference = parse_reference(line);
    const auto* found = reference ? std::get_if<T>(&*reference) : nullptr;
    return found != nullptr ? *found : other;
}

/// "5000" is a size in bytes to keep to; what is no number is globs, with commas between.
Wanted wanted_in(std::string_view line, const HubReference& reference) {
    Wanted wanted;
    wanted.tag = reference.tag;
    wanted.file = reference.file;
    std::uint64_t budget = 0;
    const auto* end = line.data() + line.size();
    if (const auto [stop, failure] = std::from_chars(line.data(), end, budget);
        failure == std::errc() && stop == end) {
        wanted.budget = budget;
    } else if (!line.empty()) {
        for (const auto glob : split(line, ',')) {
            wanted.include.emplace_back(glob);
        }
    }
    return wanted;
}

void check_next_page(const Document& page, const std::string& url) {
    const auto next = address_after(page, url);
    if (!next) {
        check_error(next.error());
        return;
    }
    const auto there = http::parse_url(*next);
    require(next->empty() || (there && http::same_origin(*there, *http::parse_url(url))),
            "a listing goes on where it began");
}

void check_hub(std::string_view text) {
    const auto reference =
        reference_or(take_first_line(text), HubReference{"org", "repo", "", "", ""});
    const auto wanted = wanted_in(take_first_line(text), reference);
    const HubAddresses addresses(hub_endpoint, reference);
    Document page;
    page.status = 200;
    page.headers.emplace_back("link", take_first_line(text));
    page.body = text;
    check_next_page(page, addresses.tree(commit));
    if (const auto said = read_commit(page, false); !said) {
        check_error(said.error());
    }
    HubListing listing{reference.id(), commit, {}};
    std::vector<std::string> notes;
    if (const auto read = read_page(page, false, listing.files, notes); !read) {
        check_error(read.error());
        return;
    }
    std::for_each(notes.begin(), notes.end(), check_shown);
    for (const auto& file : listing.files) {
        check_path(file.path, 1024);
    }
    const auto plan = plan_of(listing, addresses, wanted);
    if (!plan) {
        check_error(plan.error());
        return;
    }
    check_plan(*plan);
    for (const auto& file : plan->files) {
        require(file.path.starts_with(reference.id() + "/"), "below the repository's folder");
        const auto from = std::string(hub_endpoint) + "/" + reference.id() + "/resolve/" + commit;
        require(file.url.starts_with(from + "/"), "of that repository");
        const auto path = percent_decoded(file.url.substr(from.size() + 1));
        const auto same = [&path](const auto& listed) { return listed.path == path; };
        require(std::any_of(listing.files.begin(), listing.files.end(), same), "one that it lists");
    }
}

void check_manifest(std::string_view text) {
    const auto reference =
        reference_or(take_first_line(text), OllamaReference{"", "library", "qwen3", "latest"});
    const std::string repository = "https://registry.ollama.ai/v2/library/qwen3";
    const auto layers = layers_of(json::parse(text, nullptr, false));
    if (!layers) {
        check_error(layers.error());
        require(layers.error().code() == Errc::upstream_error, "the manifest is at fault");
        return;
    }
    const auto plan = plan_of(reference, repository, *layers);
    if (!plan) {
        check_error(plan.error());
        return;
    }
    check_plan(*plan);
    for (const auto& file : plan->files) {
        require(file.path.starts_with("ollama/"), "below Ollama's folder");
        require(file.url == repository + "/blobs/sha256:" + file.sha256, "a blob of that model");
    }
}

void check_settings(std::string_view text) {
    const auto settings = settings_of(json::parse(text, nullptr, false));
    Plan plan;
    plan.name = "m";
    plan.notes = settings.notes;
    plan.overrides = settings.overrides;
    for (const auto& [key, value] : settings.overrides) {
        routerd::ModelConfig config;
        require(routerd::set_model_key(config, key, value).has_value(), "a setting can be set");
    }
    for (const auto& note : settings.notes) {
        check_shown(note);
        require(!note.empty() && note.size() <= longest_note, "a note can be read");
    }
    check_kept(plan);
    require(
        builtin_template_of(text) != "chatml" || text.find("<|im_end|>") != std::string_view::npos,
        "a template is known by its marks");
}

/// What is read of a kept plan is what stands there.
void check_kept_plan(std::string_view text) {
    const auto plan = plan_from_json(text);
    if (!plan) {
        require(plan.error().code() == Errc::invalid_request, "the text is at fault");
        check_error(plan.error());
        return;
    }
    check_kept(*plan);
    const auto said = json::parse(text);
    const auto read = json::parse(to_json(*plan));
    for (std::size_t i = 0; i < plan->files.size(); ++i) {
        for (const auto& [key, value] : read.at("files").at(i).items()) {
            require(said.at("files").at(i).at(key) == value, "a file is the one that is kept");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return routerd::fuzz::check_one(
        routerd::fuzz::text_of(data, size),
        {check_reference, check_hub, check_manifest, check_settings, check_kept_plan});
}
