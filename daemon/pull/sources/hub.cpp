#include "daemon/pull/sources/hub.hpp"

#include <utility>

#include "common/http/url.hpp"
#include "daemon/pull/sources/hub_plan.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t most_pages = 50;  // of 1000 files

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
    Result<Plan> plan();

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

asio::awaitable<Result<void>> HubResolver::list_files() {
    auto url = addresses_.tree(commit_.sha);
    for (std::size_t pages = 0; !url.empty(); ++pages) {
        if (pages == most_pages) {
            co_return Error(Errc::upstream_error,
                            "its listing has more than " + std::to_string(most_pages) + " pages");
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
        const auto next = address_after(*page, url);
        if (!next) {
            co_return next.error();
        }
        url = *next;
    }
    co_return Result<void>();
}

Result<Plan> HubResolver::plan() {
    Wanted wanted;
    wanted.tag = reference_.tag;
    wanted.file = reference_.file;
    wanted.include = options_.include;
    wanted.budget = options_.memory_budget;
    auto plan =
        plan_of(HubListing{reference_.id(), commit_.sha, std::move(files_)}, addresses_, wanted);
    if (plan) {
        plan->notes.insert(plan->notes.begin(), notes_.begin(), notes_.end());
    }
    return plan;
}

asio::awaitable<Result<Plan>> HubResolver::resolve() {
    const auto attempt = "find '" + reference_.id() + "' on the hub";
    const auto endpoint = http::parse_url(options_.endpoint);
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
