#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/api/list.hpp"
#include "common/base/time.hpp"
#include "common/config/schema.hpp"

namespace routerd::api {

/// One row of `routerctl ls`.
struct ModelSummary {
    std::string id;
    std::string display_name;
    std::vector<std::string> aliases;
    std::string architecture;
    std::string quantization;
    std::uint64_t parameters = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t context_length = 0;  ///< tokens: as configured, else as trained
    Tier tier = Tier::balanced;
    bool tier_overridden = false;
    bool thinking = false;
    bool thinking_overridden = false;
    bool enabled = true;
    bool pinned = false;
    bool is_default = false;                ///< what `switch` named last
    std::vector<std::string> capabilities;  ///< completion, embedding, rerank, vision, tools, …
    std::string state;   ///< off, starting, loading, ready, draining, stopping, crashed, failed
    std::string source;  ///< directory, config, huggingface, llama.cpp, lmstudio, ollama
};

using ModelList = List<ModelSummary>;

/// What the file's own metadata says, by name, in the file's order of importance.
struct GgufMetadata {
    std::uint32_t version = 0;
    std::string architecture;
    std::string name;
    std::string size_label;
    std::string quantization;
    std::uint64_t parameters = 0;
    std::uint64_t tensor_bytes = 0;
    std::uint64_t context_length = 0;
    std::uint64_t embedding_length = 0;
    std::uint64_t block_count = 0;
    std::uint64_t vocab_size = 0;
    std::vector<std::uint64_t> head_count;
    std::vector<std::uint64_t> head_count_kv;
    std::uint64_t key_length = 0;
    std::uint64_t value_length = 0;
    std::uint64_t sliding_window = 0;
    std::uint64_t expert_count = 0;
    std::uint64_t expert_used_count = 0;
    std::string tokenizer;
    std::string tokenizer_pre;
    std::string chat_template;
    bool thinking = false;
    bool tools = false;
    std::uint16_t split_count = 0;
};

/// One model in full: `routerctl show`.
struct Model {
    ModelSummary summary;  ///< its fields stand beside the others in JSON, not in an object
    std::vector<std::string> files;
    std::string mmproj;  ///< empty: none
    std::vector<std::string> adapters;
    std::optional<WallTime> modified;
    std::string last_error;  ///< why it is crashed or failed
    /// The keys of [model."id"] that differ from the defaults, and the overrides among them; values
    /// as `set` takes them.
    std::map<std::string, std::string> settings;
    std::map<std::string, std::string> overrides;
    std::vector<std::string> cmdline;  ///< the exact argv that a load would run
    std::string cmdline_error;         ///< why there is none (no llama-server, say); else empty
    GgufMetadata gguf;
};

/// Body of PATCH models/{id}: keys of [model."id"], applied as one change and kept.
struct ModelChange {
    std::map<std::string, std::string> set;
    std::vector<std::string> unset;
    std::vector<std::string> add_aliases;
    std::vector<std::string> remove_aliases;
};

/// A file that looks like a model and cannot be offered.
struct BrokenFile {
    std::string path;
    std::string reason;
};

/// Body of POST rescan.
struct RescanRequest {
    std::string dir;  ///< only this one; empty: all
};

/// What a scan of the disk found.
struct RescanResult {
    std::uint64_t found = 0;
    std::uint64_t added = 0;
    std::uint64_t removed = 0;
    std::vector<BrokenFile> broken;
    std::chrono::milliseconds took_ms{0};
};

}  // namespace routerd::api
