#include "daemon/pull/sources/ollama.hpp"

#include <utility>

#include "daemon/pull/names.hpp"
#include "daemon/pull/sources/answer.hpp"
#include "daemon/pull/sources/ollama_manifest.hpp"
#include "daemon/pull/sources/ollama_plan.hpp"
#include "daemon/pull/sources/ollama_template.hpp"
#include "daemon/transfer/sha256.hpp"

namespace routerd::pull {
namespace {

constexpr std::size_t longest_ollama_text = std::size_t{1} << 20U;  // of a manifest or a template
constexpr const char* ollama_registry = "https://registry.ollama.ai";
constexpr const char* manifest_media = "application/vnd.docker.distribution.manifest.v2+json";

}  // namespace

/// Carries out one resolve_ollama(), whose coroutine owns it. (A member of a coroutine's frame must
/// not have a type of the unnamed namespace where sources are joined: -Wsubobject-linkage.)
class OllamaResolver {
  public:
    OllamaResolver(Documents& documents, OllamaReference reference, OllamaOptions options);

    asio::awaitable<Result<Plan>> resolve();

  private:
    Documents::Request request(const std::string& what) const;
    asio::awaitable<Result<void>> find_layers();
    asio::awaitable<Result<std::string>> text_of(OllamaLayer layer);
    asio::awaitable<Result<void>> read_settings();
    void read_template(const std::string& text);

    Documents& documents_;
    OllamaReference reference_;
    OllamaOptions options_;
    std::string repository_;  ///< URL that manifests and blobs are below
    std::vector<OllamaLayer> layers_;
    Plan plan_;
};

OllamaResolver::OllamaResolver(Documents& documents, OllamaReference reference,
                               OllamaOptions options)
    : documents_(documents), reference_(std::move(reference)), options_(std::move(options)) {
    repository_ = options_.endpoint;
    if (repository_.empty()) {
        repository_ = reference_.host.empty() ? ollama_registry : "https://" + reference_.host;
    }
    while (repository_.ends_with('/')) {
        repository_.pop_back();
    }
    repository_ += "/v2/" + reference_.space + "/" + reference_.name;
}

Documents::Request OllamaResolver::request(const std::string& what) const {
    Documents::Request request;
    request.url = repository_ + what;
    request.token = options_.token;
    request.most = longest_ollama_text;
    return request;
}

asio::awaitable<Result<void>> OllamaResolver::find_layers() {
    auto asked = request("/manifests/" + percent_encoded(reference_.tag));
    asked.accept = manifest_media;
    const auto document = co_await documents_.get(asked);
    if (!document) {
        co_return document.error();
    }
    if (document->status == 401 || document->status == 403) {
        co_return Error(Errc::forbidden,
                        "the registry refuses it with status " + std::to_string(document->status))
            .with_hint("check the spelling; what is private cannot be pulled from there");
    }
    if (document->status == 404) {
        co_return Error(Errc::not_found, "the registry has no such model or tag")
            .with_hint("check the spelling; the tags of a model are listed on its page");
    }
    const auto json = json_of(*document);
    if (!json) {
        co_return json.error();
    }
    auto layers = layers_of(*json);
    if (!layers) {
        co_return layers.error();
    }
    layers_ = std::move(*layers);
    co_return Result<void>();
}

/// A small blob, whole and as its digest says.
asio::awaitable<Result<std::string>> OllamaResolver::text_of(OllamaLayer layer) {
    const auto asked = request("/blobs/sha256:" + layer.sha256);
    auto document = co_await documents_.get(asked);
    if (!document) {
        co_return document.error();
    }
    if (document->status != 200) {
        co_return Error(Errc::upstream_error, "it answers for the " + layer.kind + " with status " +
                                                  std::to_string(document->status));
    }
    transfer::Sha256 sum;
    sum.update(document->body);
    const auto digest = sum.finish();
    if (digest != layer.sha256) {
        co_return Error(Errc::upstream_error, "what came as the " + layer.kind +
                                                  " has another digest than its manifest says");
    }
    co_return std::move(document->body);
}

void OllamaResolver::read_template(const std::string& text) {
    plan_.chat_template = builtin_template_of(text);
    plan_.notes.push_back(
        plan_.chat_template.empty()
            ? "its template is for Ollama alone and is left out: the one in its file is used"
            : "its template is for Ollama alone: the one in its file is used, or llama.cpp's own "
              "'" +
                  plan_.chat_template + "' where it has none");
}

asio::awaitable<Result<void>> OllamaResolver::read_settings() {
    if (const auto* layer = first_of(layers_, "params"); layer != nullptr) {
        const auto text = co_await text_of(*layer);
        if (!text) {
            co_return text.error();
        }
        auto settings = settings_of(nlohmann::json::parse(*text, nullptr, false));
        plan_.overrides = std::move(settings.overrides);
        plan_.notes.insert(plan_.notes.end(), settings.notes.begin(), settings.notes.end());
    }
    if (const auto* layer = first_of(layers_, "template"); layer != nullptr) {
        const auto text = co_await text_of(*layer);
        if (!text) {
            co_return text.error();
        }
        read_template(*text);
    }
    co_return Result<void>();
}

asio::awaitable<Result<Plan>> OllamaResolver::resolve() {
    const auto attempt = "find '" + model_name(reference_) + "' in Ollama's registry";
    const auto found = co_await find_layers();
    if (!found) {
        co_return found.error().within(attempt);
    }
    auto plan = plan_of(reference_, repository_, layers_);
    if (!plan) {
        co_return plan.error().within(attempt);
    }
    plan_ = std::move(*plan);
    const auto read = co_await read_settings();
    if (!read) {
        co_return read.error().within(attempt);
    }
    co_return std::move(plan_);
}

asio::awaitable<Result<Plan>> resolve_ollama(Documents& documents, OllamaReference reference,
                                             OllamaOptions options) {
    OllamaResolver resolver(documents, std::move(reference), std::move(options));
    auto plan = co_await resolver.resolve();
    co_return plan;
}

}  // namespace routerd::pull
