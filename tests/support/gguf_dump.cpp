// Prints what the catalogue would make of one file; the corpus tests run it once per file.
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/catalog/inspect.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: gguf_dump FILE\n", stderr);
        return 2;
    }
    const std::string path(argv[1]);
    const auto dump = routerd::inspect_file(path);
    if (!dump) {
        std::fprintf(stderr, "%s: %s\n", routerd::escaped(path).c_str(),
                     dump.error().message().c_str());
        return 1;
    }
    std::puts(dump->dump(2).c_str());
    return 0;
}
