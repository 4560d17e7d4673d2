// What no file can say: files and folders that change while they are scanned.
#include <atomic>
#include <filesystem>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/catalog/scan.hpp"
#include "daemon/catalog/writer_probe.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

constexpr int rounds = 300;

std::string big_file() {
    auto writer = test::GgufWriter::model();
    writer.texts("tokenizer.ggml.tokens", std::vector<std::string>(20'000, "token"));
    return writer.file();
}

std::size_t open_files() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        ++count;
    }
    return count;
}

/// Runs `disturb` on a thread of its own for as long as scans go on beside it.
template <class Disturb>
void scan_beside(const ScanPlan& plan, Disturb disturb) {
    ignore_lease_signal();
    const auto before = open_files();
    std::atomic<bool> over = false;
    std::thread thread([&] {
        while (!over) {
            disturb();
        }
    });
    Headers headers;
    for (int round = 0; round < rounds; ++round) {
        const auto found = scan(plan, headers);
        headers.finish_scan();
        for (const auto& model : found.models) {
            EXPECT_EQ(model.metadata->vocab_size, 20'000U);
        }
        for (const auto& file : found.broken) {
            EXPECT_FALSE(file.reason.empty());
        }
    }
    over = true;
    thread.join();
    EXPECT_EQ(open_files(), before);
}

TEST(LiveFaultsTest, FilesAreCutReplacedAndDeletedDuringTheScan) {
    const test::TempDir folder;
    const auto bytes = big_file();
    const auto path = folder.write("models/a.gguf", bytes);
    const auto beside = folder.write("spare", bytes);
    ScanPlan plan;
    plan.places = {{Source::directory, folder / "models"}};
    int turn = 0;
    scan_beside(plan, [&] {
        std::error_code ignored;
        switch (turn++ % 4) {
            case 0:
                fs::resize_file(path, bytes.size() / 3, ignored);
                break;
            case 1:
                fs::remove(path, ignored);
                break;
            case 2:
                fs::copy_file(beside, path, fs::copy_options::overwrite_existing, ignored);
                break;
            default:
                fs::rename(path, folder / "models/b.gguf", ignored);
                break;
        }
    });
}

TEST(LiveFaultsTest, FoldersGoAndComeDuringTheWalk) {
    const test::TempDir folder;
    const auto bytes = big_file();
    folder.write("spare/1/2/a.gguf", bytes);
    fs::create_directories(folder / "models");
    ScanPlan plan;
    plan.places = {{Source::directory, folder / "models"}};
    scan_beside(plan, [&] {
        std::error_code ignored;
        fs::rename(folder / "spare", folder / "models/spare", ignored);
        fs::rename(folder / "models/spare", folder / "spare", ignored);
    });
}

}  // namespace
}  // namespace routerd
