#include "common/api/model.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, ModelSummary> model) {
    io("id", model.id);
    io("display_name", model.display_name);
    io("aliases", model.aliases);
    io("architecture", model.architecture);
    io("quantization", model.quantization);
    io("parameters", model.parameters);
    io("size_bytes", model.size_bytes);
    io("context_length", model.context_length);
    io("tier", model.tier);
    io("tier_overridden", model.tier_overridden);
    io("thinking", model.thinking);
    io("thinking_overridden", model.thinking_overridden);
    io("enabled", model.enabled);
    io("pinned", model.pinned);
    io("is_default", model.is_default);
    io("capabilities", model.capabilities);
    io("state", model.state);
    io("source", model.source);
}

template <class Io>
void fields(Io& io, Of<Io, GgufMetadata> gguf) {
    io("version", gguf.version);
    io("architecture", gguf.architecture);
    io("name", gguf.name);
    io("size_label", gguf.size_label);
    io("quantization", gguf.quantization);
    io("parameters", gguf.parameters);
    io("tensor_bytes", gguf.tensor_bytes);
    io("context_length", gguf.context_length);
    io("embedding_length", gguf.embedding_length);
    io("block_count", gguf.block_count);
    io("vocab_size", gguf.vocab_size);
    io("head_count", gguf.head_count);
    io("head_count_kv", gguf.head_count_kv);
    io("key_length", gguf.key_length);
    io("value_length", gguf.value_length);
    io("sliding_window", gguf.sliding_window);
    io("expert_count", gguf.expert_count);
    io("expert_used_count", gguf.expert_used_count);
    io("tokenizer", gguf.tokenizer);
    io("tokenizer_pre", gguf.tokenizer_pre);
    io("chat_template", gguf.chat_template);
    io("thinking", gguf.thinking);
    io("tools", gguf.tools);
    io("split_count", gguf.split_count);
}

template <class Io>
void fields(Io& io, Of<Io, Model> model) {
    io.inlined(model.summary);
    io("files", model.files);
    io("mmproj", model.mmproj);
    io("adapters", model.adapters);
    io("modified", model.modified);
    io("last_error", model.last_error);
    io("settings", model.settings);
    io("overrides", model.overrides);
    io("cmdline", model.cmdline);
    io("cmdline_error", model.cmdline_error);
    io("gguf", model.gguf);
}

template <class Io>
void fields(Io& io, Of<Io, ModelChange> change) {
    io("set", change.set);
    io("unset", change.unset);
    io("add_aliases", change.add_aliases);
    io("remove_aliases", change.remove_aliases);
}

template <class Io>
void fields(Io& io, Of<Io, BrokenFile> file) {
    io("path", file.path);
    io("reason", file.reason);
}

template <class Io>
void fields(Io& io, Of<Io, RescanRequest> request) {
    io("dir", request.dir);
}

template <class Io>
void fields(Io& io, Of<Io, RescanResult> result) {
    io("found", result.found);
    io("added", result.added);
    io("removed", result.removed);
    io("broken", result.broken);
    io("took_ms", result.took_ms);
}

ROUTERD_API_CODEC(ModelSummary);
ROUTERD_API_CODEC(ModelList);
ROUTERD_API_CODEC(Model);
ROUTERD_API_CODEC(ModelChange);
ROUTERD_API_CODEC(RescanRequest);
ROUTERD_API_CODEC(RescanResult);

}  // namespace routerd::api
