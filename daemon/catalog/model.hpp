#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/time.hpp"
#include "common/config/schema.hpp"
#include "daemon/gguf/metadata.hpp"

namespace routerd {

/// Where a model came from.
enum class Source { directory, config, huggingface, llama_cpp, lmstudio, ollama, remote };

/// What a model can be asked to do, from its metadata.
struct Capabilities {
    bool completion = true;
    bool embedding = false;
    bool rerank = false;
    bool vision = false;
    bool tools = false;
    bool thinking = false;
};

/// One model as every other room sees it: what the file says, what the configuration says and what
/// the user overrode, already put together. Immutable once published.
struct Model {
    std::string id;                    ///< lower-case, unique
    std::vector<std::string> aliases;  ///< configured, overridden and derived (org/repo:QUANT)
    std::string display_name;          ///< general.name, else the file stem
    Source source = Source::directory;
    /// Absolute; the first part of a split set first. None: its server is elsewhere.
    std::vector<std::string> files;
    std::string mmproj;                               ///< absolute path, or empty
    std::shared_ptr<const gguf::Metadata> projector;  ///< what `mmproj` says; null: not known
    std::vector<std::string> adapters;
    std::uint64_t size_bytes = 0;  ///< all parts, without mmproj
    WallTime modified;             ///< newest part
    gguf::Metadata metadata;
    Capabilities capabilities;

    Tier tier = Tier::balanced;
    bool tier_overridden = false;
    bool thinking = false;
    bool thinking_overridden = false;
    bool enabled = true;
    bool pinned = false;

    /// Configuration under [model."id"] with the user's overrides laid over it.
    ModelConfig settings;
    /// The overrides alone, for `show --overrides`.
    ModelConfig overrides;
};

/// A file that looks like a model and cannot be offered.
struct BrokenFile {
    std::string path;
    std::string reason;
};

/// One immutable state of the catalogue. Published by Catalog on the core loop, read from anywhere.
struct Snapshot {
    std::vector<std::shared_ptr<const Model>> models;  ///< by id; disabled ones too
    std::vector<BrokenFile> broken;
    std::string default_model;  ///< id, or empty when there is none
    WallTime scanned;

    /// By id or alias, any case; disabled models too. nullptr when there is none.
    const Model* find(std::string_view name) const;

    /// Lower-cased ids and aliases → index in models. Built by the catalogue.
    std::unordered_map<std::string, std::size_t> names;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace routerd
