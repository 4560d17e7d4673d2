#include "daemon/pull/sources/hub.hpp"

#include <algorithm>
#include <utility>

#include "daemon/catalog/file_name.hpp"
#include "daemon/pull/choice.hpp"
#include "daemon/pull/sources/answer.hpp"
#include "daemon/pull/variants.hpp"
#include "daemon/transfer/url.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t most_pages = 50;  // of 1000 files
constexpr std::size_t most_repository_files = 20'000;
constexpr std::size_t most_planned_files = 1000;

}  // namespace

/// Carries out one resolve_hub(), whose coroutine owns it. (A member of a coroutine's frame must
/// not have a type of the unnamed namespace where sources are joined: -Wsubobject-linkage.)
class HubResolver {
  public:
    HubResolver(Documents& documents, HubReference reference, HubOptions options)
        : documents_(documents),
          reference_(std::move(reference)),
          options_(std::move(options)),
          addresses_(options_.endpoint, reference_) {}

    asio::awaitable<Result<Plan>> resolve();

  private:
    bool has_token() const { return !options_.token.empty(); }
    Documents::Request request(std::string url) const;
    asio::awaitable<Result<void>> find_commit();
    asio::awaitable<Result<void>> list_files();
    Result<std::string> following(const Document& page, const std::string& url) const;
    Result<Plan> plan();
    RemoteFile planned(const RepositoryFile& file, const std::string& model) const;

    Documents& documents_;
    HubReference reference_;
    HubOptions options_;
    HubAddresses addresses_;
    HubCommit commit_;
    std::vector<RepositoryFile> files_;
    std::vector<std::string> notes_;
};

Documents::Request HubResolver::request(std::string url) const {
    Documents::Request request;
    request.url = std::move(url);
    request.accept = "application/json";
    request.token = options_.token;
    return request;
}

asio::awaitable<Result<void>> HubResolver::find_commit() {
    const auto asked = request(addresses_.revision());
    const auto document = co_await documents_.get(asked);
    if (!document) {
        co_return document.error();
    }
    auto commit = read_commit(*document, has_token());
    if (!commit) {
        co_return commit.error();
    }
    commit_ = std::move(*commit);
    if (commit_.is_gated && !has_token()) {
        // A mirror may have a token of its own.
        if (addresses_.is_hub()) {
            co_return Error(Errc::forbidden, "it is gated: its owners decide who may have it")
                .with_hint(
                    "ask for access on its page, then pull with a token: HF_TOKEN or "
                    "--token-file");
        }
        notes_.emplace_back("it is gated: its files may need a token");
    }
    co_return Result<void>();
}

/// The page after `page`, of `url`; empty: it is the last.
Result<std::string> HubResolver::following(const Document& page, const std::string& url) const {
    const auto link = next_page(page);
    if (link.empty()) {
        return std::string();
    }
    const auto here = transfer::parse_url(url);
    if (!here) {
        return here.error();
    }
    const auto next = transfer::resolve_location(*here, link);
    if (!next || !transfer::same_origin(*here, *next)) {
        return Error(Errc::upstream_error, "its listing goes on at another host");
    }
    return next->text();
}

asio::awaitable<Result<void>> HubResolver::list_files() {
    auto url = addresses_.tree(commit_.sha);
    for (std::size_t pages = 0; !url.empty(); ++pages) {
        if (pages == most_pages || files_.size() > most_repository_files) {
            co_return Error(Errc::upstream_error, "its listing has more than " +
                                                      std::to_string(files_.size()) + " files");
        }
        const auto asked = request(url);
        const auto page = co_await documents_.get(asked);
        if (!page) {
            co_return page.error();
        }
        const auto read = read_page(*page, has_token(), files_, notes_);
        if (!read) {
            co_return read.error();
        }
        const auto next = following(*page, url);
        if (!next) {
            co_return next.error();
        }
        url = *next;
    }
    co_return Result<void>();
}

RemoteFile HubResolver::planned(const RepositoryFile& file, const std::string& model) const {
    RemoteFile remote;
    const auto folder = parent_path(model);
    const bool moves = is_projector_name(file.path) && !model.empty() && !folder.empty();
    const auto place =
        moves ? std::string(folder) + "/" + std::string(base_name(file.path)) : file.path;
    remote.path = reference_.id() + "/" + place;
    remote.url = addresses_.file(commit_.sha, file.path);
    remote.size = file.size;
    remote.sha256 = file.sha256;
    return remote;
}

Result<Plan> HubResolver::plan() {
    Wanted wanted;
    wanted.tag = reference_.tag;
    wanted.file = reference_.file;
    wanted.include = options_.include;
    wanted.budget = options_.memory_budget;
    std::sort(files_.begin(), files_.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    const auto same = [](const auto& a, const auto& b) { return a.path == b.path; };
    files_.erase(std::unique(files_.begin(), files_.end(), same), files_.end());
    auto choice = choose_files(files_, wanted);
    if (!choice) {
        return choice.error();
    }
    if (choice->files.size() > most_planned_files) {
        return Error(Errc::invalid_request,
                     "more than " + std::to_string(most_planned_files) + " files of it are meant");
    }
    Plan plan;
    plan.name = reference_.id();
    plan.name += choice->quantization.empty() ? "" : ":" + choice->quantization;
    // What was named file by file stays where the repository has it.
    const auto& first = choice->files.front().path;
    const bool is_whole = options_.include.empty() && !is_projector_name(first);
    for (const auto& file : choice->files) {
        plan.files.push_back(planned(file, is_whole ? first : std::string()));
    }
    plan.notes = std::move(notes_);
    plan.notes.insert(plan.notes.end(), choice->notes.begin(), choice->notes.end());
    plan.hub = HubRevision{reference_.id(), commit_.sha};
    return plan;
}

asio::awaitable<Result<Plan>> HubResolver::resolve() {
    const auto attempt = "find '" + reference_.id() + "' on the hub";
    const auto endpoint = transfer::parse_url(options_.endpoint);
    if (!endpoint) {
        co_return endpoint.error().within("address of the hub");
    }
    const auto found = co_await find_commit();
    if (!found) {
        co_return found.error().within(attempt);
    }
    const auto listed = co_await list_files();
    if (!listed) {
        co_return listed.error().within(attempt);
    }
    auto planned = plan();
    if (!planned) {
        co_return planned.error().within(attempt);
    }
    co_return planned;
}

asio::awaitable<Result<Plan>> resolve_hub(Documents& documents, HubReference reference,
                                          HubOptions options) {
    HubResolver resolver(documents, std::move(reference), std::move(options));
    auto plan = co_await resolver.resolve();
    co_return plan;
}

}  // namespace routerd::pull
