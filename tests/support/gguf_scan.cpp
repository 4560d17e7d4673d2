// Scans a folder as the catalogue does and prints what it would offer and what not, as JSON.
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "daemon/catalog/scan.hpp"
#include "daemon/catalog/writer_probe.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: gguf_scan FOLDER\n", stderr);
        return 2;
    }
    routerd::ignore_lease_signal();
    routerd::ScanPlan plan;
    plan.places = {{routerd::Source::directory, argv[1]}};
    routerd::Headers headers;
    const auto found = routerd::scan(plan, headers);
    auto json = nlohmann::ordered_json::object();
    for (const auto& model : found.models) {
        json["models"].push_back({{"id", model.id}, {"files", model.files}});
    }
    for (const auto& file : found.broken) {
        json["broken"].push_back({{"path", file.path}, {"reason", file.reason}});
    }
    // Paths may hold any bytes; the reader of this takes them as WTF-8 would, one replacement each.
    std::puts(json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace).c_str());
    return 0;
}
