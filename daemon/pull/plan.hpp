#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace routerd::pull {

/// One file that a pull brings.
struct RemoteFile {
    /// Where it goes, below the folder of downloads: "org/repo/model-Q4_K_M.gguf". Made of names
    /// that were checked (see names.hpp): never absolute, no part of it "." or "..".
    std::string path;
    std::string url;                    ///< absolute; empty for a file of this machine
    std::string local;                  ///< that file; empty for one that is fetched
    std::optional<std::uint64_t> size;  ///< bytes, where the source says so
    std::string sha256;                 ///< 64 lower-case hexadecimal digits, or empty: not known

    bool operator==(const RemoteFile&) const = default;
};

/// A repository's state, for those who want its files in the layout of the hub's own cache.
struct HubRevision {
    std::string repo;      ///< "org/repo"
    std::string revision;  ///< commit, 40 hexadecimal digits

    bool operator==(const HubRevision&) const = default;
};

/// What a reference stands for, as its source answered.
struct Plan {
    std::string name;  ///< for people, and an alias of the model: "org/repo:Q4_K_M"
    /// The parts of the model first, in their order, then the projector.
    std::vector<RemoteFile> files;
    std::vector<std::string> notes;  ///< what was chosen, and why; a sentence each
    /// Settings of the model by key, as `routerctl set` takes them: {"context", "8192"}.
    std::vector<std::pair<std::string, std::string>> overrides;
    std::optional<HubRevision> hub;
    std::string root;           ///< the folder that the paths of the files are below; absolute
    bool in_hub_cache = false;  ///< that is the hub's own cache, with its layout
    /// The name of a template of llama.cpp's own, for `--chat-template`, where the model's file has
    /// none in it; empty: none is known.
    std::string chat_template;

    bool operator==(const Plan&) const = default;
};

}  // namespace routerd::pull
