// Prints what the estimate makes of a model file and a llama-server's arguments, as a line of JSON;
// and, with the log and the resident sizes of a load, what it makes of them after having learned.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "daemon/backends/llama_server/launch.hpp"
#include "daemon/backends/llama_server/memory_lines.hpp"
#include "daemon/devices/processor.hpp"
#include "daemon/estimate/learn.hpp"
#include "daemon/gguf/reader.hpp"

namespace {

void print(const char* name, const routerd::Estimate& estimate) {
    std::printf("\"%s\":{", name);
    for (const auto& [device, bytes] : estimate.devices) {
        const auto put = [](const char* part, std::uint64_t value, char end) {
            std::printf("\"%s\":%" PRIu64 "%c", part, value, end);
        };
        std::printf("\"%s\":{", device.c_str());
        put("weights", bytes.weights, ',');
        put("kv", bytes.kv, ',');
        put("recurrent", bytes.recurrent, ',');
        put("compute", bytes.compute, ',');
        put("output", bytes.output, ',');
        put("overhead", bytes.overhead, '}');
        std::printf(",");
    }
    std::printf("\"resident\":%" PRIu64 ",\"mapped\":%" PRIu64 ",\"droppable\":%" PRIu64 "}",
                estimate.resident(), estimate.mapped, estimate.droppable);
}

routerd::Observed observed_in(const std::string& log, const char* ready, const char* peak) {
    routerd::llama::MemoryLines lines;
    std::ifstream file(log);
    for (std::string line; std::getline(file, line);) {
        lines.add(line);
    }
    routerd::Observed observed;
    observed.logged = lines.devices();
    observed.ready_resident = std::strtoull(ready, nullptr, 10);
    observed.peak_resident = std::strtoull(peak, nullptr, 10);
    return observed;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr int first_argument = 5;
    if (argc < first_argument) {
        std::fputs("usage: estimate_print MODEL LOG READY-BYTES PEAK-BYTES ARGUMENT…\n", stderr);
        return 2;
    }
    const auto metadata = routerd::gguf::read_file(argv[1]);
    if (!metadata) {
        std::fprintf(stderr, "%s: %s\n", argv[1], metadata.error().message().c_str());
        return 1;
    }
    const std::vector<std::string> arguments(argv + first_argument, argv + argc);
    auto launch = routerd::llama::launch_parameters(arguments);
    launch.tiles = routerd::has_tiles({});
    const auto fresh = routerd::estimate_memory(*metadata, launch);
    const auto correction = routerd::learn(fresh, observed_in(argv[2], argv[3], argv[4]));
    std::printf("{");
    print("fresh", fresh);
    std::printf(",");
    print("learned", routerd::corrected(fresh, correction));
    std::printf("}\n");
    return 0;
}
