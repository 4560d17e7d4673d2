// Reads arbitrary bytes as a GGUF file. Beside crashes and sanitizers' findings, a run fails when a
// file is accepted whose promises do not hold, or when what was read cannot be written as JSON and
// read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/gguf/json.hpp"
#include "daemon/gguf/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const int file = ::memfd_create("gguf", MFD_CLOEXEC);
    if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
        std::abort();
    }
    const auto metadata = routerd::gguf::read_fd(file);
    if (!metadata) {
        return metadata.error().message().empty() ? std::abort(), 0 : 0;
    }
    if (metadata->architecture.empty() || metadata->tensor_bytes > size) {
        std::abort();
    }
    const auto json = routerd::gguf::to_json(*metadata);
    const auto again = routerd::gguf::from_json(json.dump());
    if (!again || routerd::gguf::to_json(*again) != json) {
        std::abort();
    }
    return 0;
}
