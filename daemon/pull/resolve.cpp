#include "daemon/pull/resolve.hpp"

#include <fstream>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/catalog/file_name.hpp"
#include "daemon/catalog/sources/huggingface.hpp"
#include "daemon/pull/documents.hpp"
#include "daemon/pull/names.hpp"
#include "daemon/pull/sources/hub.hpp"
#include "daemon/pull/sources/ollama.hpp"

namespace routerd::pull {
namespace {

/// The first line of a small file; empty when it cannot be read.
std::string first_line(const std::string& path) {
    constexpr std::size_t longest = 4096;
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line.size() > longest ? "" : std::string(trim(line));
}

/// Asks through the daemon's own transfers.
class TransferDocuments final : public Documents {
  public:
    TransferDocuments(transfer::Transfers& transfers, std::uint64_t id,
                      transfer::OriginPolicy policy)
        : transfers_(transfers), id_(id), policy_(std::move(policy)) {}

    asio::awaitable<Result<Document>> get(Request request) override {
        auto url = http::parse_url(request.url);
        const auto allowed = url ? policy_.check(*url) : Result<void>(url.error());
        if (!allowed) {
            co_return allowed.error();
        }
        transfer::Question question{std::move(*url), request.accept, request.token, request.most,
                                    policy_};
        auto answer = co_await transfers_.ask(id_, std::move(question));
        if (!answer) {
            co_return answer.error();
        }
        co_return Document{answer->status, std::move(answer->headers), std::move(answer->body)};
    }

  private:
    transfer::Transfers& transfers_;
    std::uint64_t id_;
    transfer::OriginPolicy policy_;
};

Result<Plan> plan_of(const UrlReference& reference, const api::PullRequest& request) {
    const auto name = name_in_url(reference.url);
    if (!name) {
        return name.error();
    }
    const auto url = http::parse_url(reference.url);
    if (!url) {
        return url.error();
    }
    RemoteFile file;
    file.path = *name;
    file.url = url->text();
    file.sha256 = to_lower(request.sha256.value_or(""));
    Plan plan;
    plan.name = *name;
    plan.files.push_back(std::move(file));
    return plan;
}

Result<Plan> plan_of(const FileReference& reference, const api::PullRequest& request) {
    const auto name = checked_name(base_name(reference.path));
    if (!name) {
        return name.error();
    }
    RemoteFile file;
    file.path = *name;
    file.local = reference.path;
    file.sha256 = to_lower(request.sha256.value_or(""));
    Plan plan;
    plan.name = *name;
    plan.files.push_back(std::move(file));
    return plan;
}

HubOptions hub_options(const Sources& sources, const api::PullRequest& request,
                       const std::string& token) {
    HubOptions options;
    if (!sources.config.endpoint.empty()) {
        options.endpoint = sources.config.endpoint;
    }
    options.token = token;
    options.include = request.include;
    options.memory_budget = sources.memory_budget;
    return options;
}

Result<transfer::OriginPolicy> trusting(const transfer::OriginPolicy& policy,
                                        const std::string& endpoint, const char* key) {
    if (endpoint.empty()) {
        return policy;
    }
    const auto url = http::parse_url(endpoint);
    return url ? Result<transfer::OriginPolicy>(policy.trusting(url->origin))
               : Result<transfer::OriginPolicy>(url.error().within(std::string("[pull] ") + key));
}

}  // namespace

Result<transfer::OriginPolicy> policy_for(const Sources& sources, const Reference& reference,
                                          bool insecure) {
    auto policy = transfer::OriginPolicy::make(sources.config.allow);
    if (!policy) {
        return policy.error().within("[pull] allow");
    }
    policy = trusting(*policy, sources.config.endpoint, "endpoint");
    if (policy) {
        policy = trusting(*policy, sources.config.ollama_endpoint, "ollama_endpoint");
    }
    const auto* typed = std::get_if<UrlReference>(&reference);
    if (!policy || typed == nullptr) {
        return policy;
    }
    const auto url = http::parse_url(typed->url);
    return url ? Result<transfer::OriginPolicy>(policy->for_typed(*url, insecure))
               : Result<transfer::OriginPolicy>(url.error());
}

std::string token_for(const Sources& sources, const Reference& reference,
                      const std::optional<std::string>& requested) {
    if (requested && !requested->empty()) {
        return *requested;
    }
    if (!std::holds_alternative<HubReference>(reference)) {
        return {};  // what opens the hub is nobody else's business
    }
    if (!sources.config.token.empty()) {
        return sources.config.token;
    }
    if (!sources.config.token_file.empty()) {
        return first_line(sources.config.token_file);
    }
    const auto home = sources.environment.find("HF_HOME");
    const auto folder = home != sources.environment.end() && !home->second.empty()
                            ? home->second
                            : std::string("~/.cache/huggingface");
    return first_line(expand_home(folder, sources.environment) + "/token");
}

asio::awaitable<Result<Plan>> resolve(transfer::Transfers& transfers, std::uint64_t id,
                                      Sources sources, api::PullRequest request,
                                      std::string token) {
    const auto reference = parse_reference(request.ref);
    if (!reference) {
        co_return reference.error();
    }
    if (const auto* url = std::get_if<UrlReference>(&*reference)) {
        co_return plan_of(*url, request);
    }
    if (const auto* file = std::get_if<FileReference>(&*reference)) {
        co_return plan_of(*file, request);
    }
    auto policy = policy_for(sources, *reference, request.insecure);
    if (!policy) {
        co_return policy.error();
    }
    TransferDocuments documents(transfers, id, std::move(*policy));
    if (const auto* hub = std::get_if<HubReference>(&*reference)) {
        auto options = hub_options(sources, request, token);
        co_return co_await resolve_hub(documents, *hub, std::move(options));
    }
    OllamaOptions options;
    options.endpoint = sources.config.ollama_endpoint;
    options.token = token;
    const auto& ollama = std::get<OllamaReference>(*reference);
    co_return co_await resolve_ollama(documents, ollama, std::move(options));
}

std::string hub_cache_folder(const Environment& environment) {
    return sources::huggingface_folders(environment).front();
}

}  // namespace routerd::pull
