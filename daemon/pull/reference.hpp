#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.hpp"

namespace routerd::pull {

/// A repository of the hub (huggingface.co), or some of its files.
struct HubReference {
    std::string org;
    std::string repo;
    std::string tag;       ///< quantization, or a file's name: "Q4_K_M"; empty: for us to choose
    std::string revision;  ///< branch, tag or commit; empty: "main"
    std::string file;      ///< path of the one file that is meant; empty: for us to choose

    std::string id() const { return org + "/" + repo; }
};

/// A model of Ollama's registry, or of another that speaks as it does.
struct OllamaReference {
    std::string host;   ///< "registry.example.com:5000"; empty: Ollama's own
    std::string space;  ///< namespace: "library"
    std::string name;
    std::string tag;  ///< "latest"
};

/// A file at a URL; the URL is as it was typed, and begins with http:// or https://.
struct UrlReference {
    std::string url;
};

/// A file of this machine.
struct FileReference {
    std::string path;  ///< absolute
};

using Reference = std::variant<HubReference, OllamaReference, UrlReference, FileReference>;

/// What `routerctl pull` takes:
///   org/repo[@REVISION][:QUANT]     also hf.co/…, huggingface.co/…, hf://…, org/repo/FILE.gguf
///   https://huggingface.co/org/repo[/resolve/REVISION/FILE]    also /blob/… and /tree/REVISION
///   ollama://[[HOST/]NAMESPACE/]NAME[:TAG]                     also https://ollama.com/…
///   https://HOST/…/FILE.gguf
///   file:///PATH
/// Its parts are such that they can be parts of a path and of a URL. Looks at the text alone.
/// Errors: invalid_request.
Result<Reference> parse_reference(std::string_view text);

}  // namespace routerd::pull
