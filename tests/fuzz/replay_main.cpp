// Feeds a fuzz target the files of a corpus, and of each a number of its beginnings and of copies
// with one byte changed: a unit test of what a fuzzer once found interesting, for any compiler.
// usage: NAME_replay FOLDER   ends with the target's own abort() on a finding
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr std::size_t variants = 16;  // of each kind and file: the slowest target takes seconds so

std::string current;  // what is fed just now, for the message of abort()

void say_what_was_fed(int /*signal*/) {
    const auto tell = [](std::string_view text) {
        return ::write(STDERR_FILENO, text.data(), text.size());
    };
    // Nothing can be done where stderr is gone: the signal ends the program all the same.
    (void)(tell("replaying ") + tell(current) + tell("\n"));
    std::signal(SIGABRT, SIG_DFL);
    std::raise(SIGABRT);
}

void feed(const std::string& bytes) {
    // A buffer of exactly that size, so that the sanitizer sees a read behind it.
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::size_t replay(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto name = path.filename().string();
    current = name;
    feed(bytes);
    std::size_t runs = 1;
    const auto step = std::max<std::size_t>(1, bytes.size() / variants);
    for (std::size_t at = 0; at < bytes.size(); at += step, runs += 2) {
        current = name + ", the first " + std::to_string(at) + " bytes";
        feed(bytes.substr(0, at));
        current = name + ", byte " + std::to_string(at) + " changed";
        auto changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
        feed(changed);
    }
    return runs;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    std::signal(SIGABRT, say_what_was_fed);
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(argv[1], error)) {
        if (entry.is_regular_file()) {
            files.push_back(entry.path());
        }
    }
    if (error || files.empty()) {
        const auto why = error ? error.message() : "it is empty";
        std::fprintf(stderr, "no corpus in '%s': %s\n", argv[1], why.c_str());
        return 1;
    }
    std::sort(files.begin(), files.end());
    std::size_t runs = 0;
    for (const auto& path : files) {
        runs += replay(path);
    }
    std::printf("%zu files, %zu runs\n", files.size(), runs);
    return 0;
}
