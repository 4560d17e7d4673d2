#include "daemon/pull/sources/ollama.hpp"

#include <algorithm>
#include <utility>

#include "daemon/pull/names.hpp"
#include "daemon/pull/sources/answer.hpp"
#include "daemon/pull/sources/ollama_manifest.hpp"
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
    std::string name() const;
    Documents::Request request(const std::string& what) const;
    asio::awaitable<Result<void>> find_layers();
    asio::awaitable<Result<std::string>> text_of(OllamaLayer layer);
    asio::awaitable<Result<void>> read_settings();
    Result<void> add_files();
    void add_file(const OllamaLayer& layer, const std::string& file);
    void read_template(const std::string& text);
    const OllamaLayer* first(std::string_view kind) const;

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

/// As Ollama shortens it, and the catalogue.
std::string OllamaResolver::name() const {
    std::string name;
    if (!reference_.host.empty()) {
        name += reference_.host + "/";
    }
    if (reference_.space != "library" || !name.empty()) {
        name += reference_.space + "/";
    }
    return name + reference_.name + ":" + reference_.tag;
}

Documents::Request OllamaResolver::request(const std::string& what) const {
    Documents::Request request;
    request.url = repository_ + what;
    request.token = options_.token;
    request.most = longest_ollama_text;
    return request;
}

const OllamaLayer* OllamaResolver::first(std::string_view kind) const {
    const auto found = std::find_if(layers_.begin(), layers_.end(),
                                    [kind](const auto& layer) { return layer.kind == kind; });
    return found == layers_.end() ? nullptr : &*found;
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
    if (const auto* layer = first("params"); layer != nullptr) {
        const auto text = co_await text_of(*layer);
        if (!text) {
            co_return text.error();
        }
        auto settings = settings_of(nlohmann::json::parse(*text, nullptr, false));
        plan_.overrides = std::move(settings.overrides);
        plan_.notes.insert(plan_.notes.end(), settings.notes.begin(), settings.notes.end());
    }
    if (const auto* layer = first("template"); layer != nullptr) {
        const auto text = co_await text_of(*layer);
        if (!text) {
            co_return text.error();
        }
        read_template(*text);
    }
    co_return Result<void>();
}

void OllamaResolver::add_file(const OllamaLayer& layer, const std::string& file) {
    auto host = reference_.host;
    std::replace(host.begin(), host.end(), ':', '_');
    RemoteFile remote;
    remote.path = "ollama/" + (host.empty() ? "" : host + "/") + reference_.space + "/" +
                  reference_.name + "/" + reference_.tag + "/" + file;
    remote.url = repository_ + "/blobs/sha256:" + layer.sha256;
    remote.size = layer.size;
    remote.sha256 = layer.sha256;
    plan_.files.push_back(std::move(remote));
}

Result<void> OllamaResolver::add_files() {
    const auto* model = first("model");
    if (model == nullptr) {
        return Error(Errc::not_found, "it has no weights in a GGUF file")
            .with_hint("models of Ollama's cloud and those in other formats cannot be pulled");
    }
    const auto file = reference_.name + "-" + reference_.tag + ".gguf";
    add_file(*model, file);
    if (const auto* projector = first("projector"); projector != nullptr) {
        add_file(*projector, "mmproj-" + file);  // the catalogue pairs by that name
    }
    for (const auto& remote : plan_.files) {
        if (const auto checked = checked_path(remote.path); !checked) {
            return checked.error();
        }
    }
    const auto count = [this](std::string_view kind) {
        return std::count_if(layers_.begin(), layers_.end(),
                             [kind](const auto& layer) { return layer.kind == kind; });
    };
    if (count("model") > 1 || count("projector") > 1) {
        plan_.notes.emplace_back("it has several files of weights, of which the first is taken");
    }
    if (first("adapter") != nullptr) {
        plan_.notes.emplace_back("its adapter (LoRA) is left out");
    }
    if (first("system") != nullptr) {
        plan_.notes.emplace_back("its system prompt is left out: clients send their own");
    }
    return {};
}

asio::awaitable<Result<Plan>> OllamaResolver::resolve() {
    const auto attempt = "find '" + name() + "' in Ollama's registry";
    plan_.name = name();
    const auto found = co_await find_layers();
    if (!found) {
        co_return found.error().within(attempt);
    }
    const auto added = add_files();
    if (!added) {
        co_return added.error().within(attempt);
    }
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
