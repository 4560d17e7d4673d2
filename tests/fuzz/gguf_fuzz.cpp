// Reads arbitrary bytes as a GGUF file. Beside crashes and sanitizers' findings, a run fails when a
// file is accepted whose promises do not hold, when it is read differently a second time, or when
// what was read cannot be written as JSON and read back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/gguf/json.hpp"
#include "daemon/gguf/reader.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using routerd::Errc;
using routerd::fuzz::require;
using routerd::gguf::Metadata;

/// Each entry is a part of the same entry of `whole`.
bool is_part_of(const std::vector<std::uint64_t>& part, const std::vector<std::uint64_t>& whole) {
    for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] > (i < whole.size() ? whole[i] : 0)) {
            return false;
        }
    }
    return true;
}

void check_sizes(const Metadata& metadata, std::size_t file_size) {
    require(metadata.tensor_bytes <= file_size, "tensors lie in the file");
    // A tensor's entry in the table has a name's length, dimensions, a type and an offset.
    require(metadata.tensor_count <= file_size / 24, "each tensor has an entry");
    std::uint64_t left = metadata.tensor_bytes;
    const auto take = [&left](std::uint64_t bytes) {
        require(bytes <= left, "parts are not more than the whole");
        left -= bytes;
    };
    for (const auto bytes : metadata.layer_bytes) {
        take(bytes);
    }
    take(metadata.embedding_bytes);
    take(metadata.output_bytes);
    require(is_part_of(metadata.layer_expert_bytes, metadata.layer_bytes), "experts' layers");
    require(is_part_of(metadata.repacked.layers, metadata.layer_bytes), "repacked layers");
    require(is_part_of(metadata.tiled.layers, metadata.layer_bytes), "tiled layers");
    require(is_part_of(metadata.repacked.layers, metadata.tiled.layers),
            "what is repacked is copied for tiles, too");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const int file = ::memfd_create("gguf", MFD_CLOEXEC);
    const bool written =
        ::ftruncate(file, 0) == 0 && ::pwrite(file, data, size, 0) == static_cast<ssize_t>(size);
    require(written, "the file can be written");
    const auto metadata = routerd::gguf::read_fd(file);
    if (!metadata) {
        const auto& error = metadata.error();
        require(!error.message().empty(), "an error says what it is");
        require(error.code() == Errc::invalid_request || error.code() == Errc::deadline_exceeded,
                "a file that can be read is at fault itself");
        return 0;
    }
    require(!metadata->architecture.empty(), "a model has an architecture");
    check_sizes(*metadata, size);
    const auto json = routerd::gguf::to_json(*metadata);
    const auto again = routerd::gguf::from_json(json.dump());
    require(again && routerd::gguf::to_json(*again) == json, "JSON holds all of it");
    const auto second = routerd::gguf::read_fd(file);
    require(second ? routerd::gguf::to_json(*second) == json
                   : second.error().code() == Errc::deadline_exceeded,
            "the same file is the same model");
    return 0;
}
