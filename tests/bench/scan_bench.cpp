// How long a scan takes: writes a tree of small model files, scans it with nothing known (cold),
// scans it again with nothing changed, and after a restart (headers from rows).
//   scan_bench [files=10000] [vocabulary=1000]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "daemon/catalog/assemble.hpp"
#include "daemon/catalog/scan.hpp"
#include "daemon/catalog/writer_probe.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace {

using namespace routerd;

constexpr std::size_t files_in_folder = 100;
constexpr int repeats = 5;

std::string model_bytes(std::size_t vocabulary) {
    auto writer = test::GgufWriter::model("llama", "bench");
    writer.number("general.file_type", 15).number("llama.attention.head_count", 8);
    writer.text("tokenizer.chat_template",
                std::string(4000, 'x') + "{% if tools %}<think>{% endif %}");
    writer.texts("tokenizer.ggml.tokens", std::vector<std::string>(vocabulary, "token"));
    return writer.file();
}

void write_tree(const test::TempDir& folder, std::size_t files, std::size_t vocabulary) {
    const auto bytes = model_bytes(vocabulary);
    for (std::size_t i = 0; i < files; ++i) {
        folder.write("d" + std::to_string(i / files_in_folder) + "/model-" + std::to_string(i) +
                         "-Q4_K_M.gguf",
                     bytes);
    }
}

template <class Work>
double milliseconds(Work work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
}

void print(const char* what, double took, const Found& found, std::size_t reads) {
    std::printf("%-32s %8.1f ms  %zu models, %zu headers read\n", what, took, found.models.size(),
                reads);
}

void measure(const ScanPlan& plan) {
    Headers headers;
    Found found;
    auto took = milliseconds([&] { found = scan(plan, headers); });
    print("cold", took, found, headers.reads());
    Headers::Changes changes;
    took = milliseconds([&] { changes = headers.finish_scan(); });
    print("cold: rows for the store", took, found, headers.reads());

    took = 1e9;
    for (int i = 0; i < repeats; ++i) {
        took = std::min(took, milliseconds([&] {
                            found = scan(plan, headers);
                            headers.finish_scan();
                        }));
    }
    print("unchanged (best of 5)", took, found, headers.reads());

    Headers restored;
    took = milliseconds([&] {
        restored.restore(changes.written);
        found = scan(plan, restored);
    });
    print("after a restart", took, found, restored.reads());
    took = milliseconds([&] { assemble(found, Layers{}); });
    print("building the snapshot", took, found, 0);
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](int at, unsigned long otherwise) {
        return argc > at ? std::strtoul(argv[at], nullptr, 10) : otherwise;
    };
    ignore_lease_signal();
    const test::TempDir folder;
    write_tree(folder, number(1, 10'000), number(2, 1'000));
    ScanPlan plan;
    plan.places = {{Source::directory, folder.path()}};
    measure(plan);
    return 0;
}
