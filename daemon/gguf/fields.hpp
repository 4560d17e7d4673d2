#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "daemon/gguf/metadata.hpp"
#include "daemon/gguf/reader.hpp"
#include "daemon/gguf/value.hpp"

namespace routerd::gguf {

/// Turns the key-value pairs of one file, in the file's order, into Metadata. It keeps only what
/// Metadata has a place for; what has an unexpected type counts as not said, except where the file
/// could not be loaded with it (architecture, alignment).
class Fields {
  public:
    explicit Fields(const Limits& limits) : limits_(limits) {}

    /// Reads one pair.
    void read_pair(Input& input);

    /// After the last pair: values of the architecture's own keys, which may stand before its name.
    void finish(Input& input, Metadata& metadata);

    std::uint32_t alignment() const noexcept { return alignment_; }

  private:
    struct Pending {
        std::string prefix;  // what stands before the first dot: the architecture it speaks of
        std::string_view suffix;
        Value value;
    };

    void take(Input& input, std::string key);
    void take_alignment(Input& input);
    void take_architecture(Input& input);

    const Limits& limits_;
    std::unordered_set<std::string> keys_;
    std::vector<Pending> pending_;
    Metadata metadata_;
    std::uint32_t alignment_ = 32;
};

}  // namespace routerd::gguf
