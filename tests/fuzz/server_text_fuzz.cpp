// What a model's server writes: the list of its devices and the lines about memory in its log.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/backends/llama_server/device_list.hpp"
#include "daemon/backends/llama_server/memory_lines.hpp"

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto support = routerd::llama::read_device_list(text);
    require(!support || text.find("vailable") != std::string_view::npos);
    routerd::llama::MemoryLines lines;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        lines.add(text.substr(begin, end - begin));
        begin = end + 1;
    }
    for (const auto& need : lines.devices()) {
        require(!need.device.empty());
    }
    return 0;
}
