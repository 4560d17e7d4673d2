// What a model's server writes: the list of its devices and the lines about memory in its log.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/backends/llama_server/device_list.hpp"
#include "daemon/backends/llama_server/memory_lines.hpp"
#include "tests/fuzz/oracle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using routerd::fuzz::require;
    const auto text = routerd::fuzz::text_of(data, size);
    const auto support = routerd::llama::read_device_list(text);
    require(!support || text.find("vailable") != std::string_view::npos, "a list has a heading");
    routerd::llama::MemoryLines lines;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        lines.add(text.substr(begin, end - begin));
        begin = end + 1;
    }
    for (const auto& need : lines.devices()) {
        require(!need.device.empty(), "a buffer is somewhere");
    }
    return 0;
}
