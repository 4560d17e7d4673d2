#include "daemon/control/views.hpp"

#include <map>
#include <string>
#include <vector>

#include "common/base/text.hpp"
#include "common/config/model_keys.hpp"
#include "daemon/store/requests.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd {
namespace {

std::map<std::string, std::string> texts_of(const ModelConfig& config) {
    const auto texts = model_config_to_texts(config);
    return {texts.begin(), texts.end()};
}

api::GgufMetadata to_gguf(const gguf::Metadata& metadata) {
    api::GgufMetadata shown;
    shown.version = metadata.version;
    shown.architecture = metadata.architecture;
    shown.name = metadata.name;
    shown.size_label = metadata.size_label;
    shown.quantization = metadata.quantization;
    shown.parameters = metadata.parameters;
    shown.tensor_bytes = metadata.tensor_bytes;
    shown.context_length = metadata.context_length;
    shown.embedding_length = metadata.embedding_length;
    shown.block_count = metadata.block_count;
    shown.vocab_size = metadata.vocab_size;
    shown.head_count = metadata.head_count;
    shown.head_count_kv = metadata.head_count_kv;
    shown.key_length = metadata.key_length;
    shown.value_length = metadata.value_length;
    shown.sliding_window = metadata.sliding_window;
    shown.expert_count = metadata.expert_count;
    shown.expert_used_count = metadata.expert_used_count;
    shown.tokenizer = metadata.tokenizer;
    shown.tokenizer_pre = metadata.tokenizer_pre;
    shown.chat_template = metadata.chat_template;
    shown.thinking = metadata.thinking;
    shown.tools = metadata.tools;
    shown.split_count = metadata.split_count;
    return shown;
}

std::string device_of(const InstanceView& view) {
    if (view.elsewhere) {
        return "remote";
    }
    return view.gpus.empty() ? "host" : join(view.gpus, ",");
}

}  // namespace

std::string_view to_string(Source source) noexcept {
    switch (source) {
        case Source::directory:
            return "directory";
        case Source::config:
            return "config";
        case Source::huggingface:
            return "huggingface";
        case Source::llama_cpp:
            return "llama.cpp";
        case Source::lmstudio:
            return "lmstudio";
        case Source::ollama:
            return "ollama";
        case Source::remote:
            return "remote";
    }
    return "directory";
}

std::vector<std::string> capability_names(const Capabilities& capabilities) {
    std::vector<std::string> names;
    const auto add = [&names](bool has, const char* name) {
        if (has) {
            names.emplace_back(name);
        }
    };
    add(capabilities.completion, "completion");
    add(capabilities.embedding, "embedding");
    add(capabilities.rerank, "rerank");
    add(capabilities.vision, "vision");
    add(capabilities.tools, "tools");
    add(capabilities.thinking, "thinking");
    return names;
}

std::uint64_t context_of(const Model& model) noexcept {
    return model.settings.context ? *model.settings.context : model.metadata.context_length;
}

api::ModelSummary to_summary(const Model& model, const Snapshot& snapshot, const Fleet& fleet) {
    api::ModelSummary row;
    row.id = model.id;
    row.display_name = model.display_name;
    row.aliases = model.aliases;
    row.architecture = model.metadata.architecture;
    row.quantization = model.metadata.quantization;
    row.parameters = model.metadata.parameters;
    row.size_bytes = model.size_bytes;
    row.context_length = context_of(model);
    row.tier = model.tier;
    row.tier_overridden = model.tier_overridden;
    row.thinking = model.thinking;
    row.thinking_overridden = model.thinking_overridden;
    row.enabled = model.enabled;
    row.pinned = model.pinned;
    row.is_default = model.id == snapshot.default_model;
    row.capabilities = capability_names(model.capabilities);
    row.state = to_string(fleet.model_state(model.id));
    row.source = to_string(model.source);
    return row;
}

api::Model to_model(const Model& model, const Snapshot& snapshot, const Fleet& fleet) {
    api::Model shown;
    shown.summary = to_summary(model, snapshot, fleet);
    shown.files = model.files;
    shown.mmproj = model.mmproj;
    shown.adapters = model.adapters;
    if (model.modified != WallTime()) {
        shown.modified = model.modified;
    }
    shown.last_error = fleet.view(model.id).last_error;
    shown.settings = texts_of(model.settings);
    shown.overrides = texts_of(model.overrides);
    const auto command = fleet.command_line(model);
    if (command) {
        shown.cmdline = command->argv;
    } else {
        shown.cmdline_error = command.error().message();
    }
    shown.gguf = to_gguf(model.metadata);
    return shown;
}

api::Instance to_instance(const InstanceView& view) {
    api::Instance row;
    row.id = view.id;
    row.model = view.model;
    row.state = to_string(view.state);
    row.slots = view.slots;
    row.busy = view.busy;
    row.queue = view.queue;
    row.memory_bytes = view.rss_bytes + view.gpu_bytes;
    row.device = device_of(view);
    row.context = view.context;
    row.tokens_per_second = view.tokens_per_second;
    row.until = view.until;
    row.pinned = view.pinned;
    row.address = view.address;
    row.load_ms = view.load_time;
    row.progress_percent = view.loaded_percent;
    row.adopted = view.adopted;
    row.last_error = view.last_error;
    row.retry_at = view.retry_at;
    if (view.pid != 0) {
        row.pid = view.pid;
    }
    if (view.is_there()) {
        row.started = view.started;
    }
    if (view.port != 0) {
        row.port = view.port;
    }
    return row;
}

std::vector<std::string> running_models(const Fleet& fleet) {
    std::vector<std::string> ids;
    for (const auto& view : fleet.instances()) {
        if (view.is_there()) {
            ids.push_back(view.model);
        }
    }
    return ids;
}

api::RequestEntry to_entry(const RequestRow& row) {
    using std::chrono::milliseconds;
    using std::chrono::round;
    api::RequestEntry entry;
    entry.id = row.id;
    entry.request = row.request;
    entry.started = row.started;
    entry.endpoint = row.endpoint;
    if (!row.model.empty()) {
        entry.model = row.model;
    }
    entry.status = row.status;
    if (!row.error.empty()) {
        entry.error = row.error;
    }
    entry.stream = row.stream;
    entry.bytes = row.bytes;
    entry.prompt_tokens = row.prompt_tokens;
    entry.completion_tokens = row.completion_tokens;
    entry.tokens_per_second = row.tokens_per_second;
    entry.queued_ms = round<milliseconds>(row.queued);
    entry.loaded_ms = round<milliseconds>(row.loaded);
    if (row.first_byte.count() > 0) {
        entry.first_byte_ms = round<milliseconds>(row.first_byte);
    }
    entry.took_ms = round<milliseconds>(row.took);
    return entry;
}

api::RequestList to_list(const std::vector<RequestRow>& rows, std::size_t limit) {
    api::RequestList list;
    for (const auto& row : rows) {
        list.items.push_back(to_entry(row));
    }
    if (rows.size() == limit) {
        list.next = std::to_string(rows.back().id);
    }
    return list;
}

api::Profile to_profile(const Profile& profile) {
    return {.name = profile.name,
            .description = profile.description,
            .enabled_models = profile.enabled_models,
            .overrides = profile.overrides,
            .preload = profile.preload,
            .default_model = profile.default_model,
            .active = profile.active};
}

Profile from_profile(const api::Profile& profile) {
    return {.name = profile.name,
            .description = profile.description,
            .enabled_models = profile.enabled_models,
            .overrides = profile.overrides,
            .preload = profile.preload,
            .default_model = profile.default_model,
            .active = false};
}

}  // namespace routerd
