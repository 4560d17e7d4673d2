#include "daemon/catalog/scan.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

class ScanTest : public testing::Test {
  protected:
    ScanTest() { plan_.places = {{Source::directory, folder_ / "models"}}; }

    void write(const std::string& name) { folder_.write("models/" + name, bytes_); }
    Found scan_now() { return scan(plan_, headers_); }

    test::TempDir folder_;
    std::string bytes_ = test::GgufWriter::model().file();
    ScanPlan plan_;
    Headers headers_;
};

TEST_F(ScanTest, FindsNamesAndExplains) {
    write("a.gguf");
    write("sub/A.gguf");
    folder_.write("models/bad.gguf", "<html>");
    const auto found = scan_now();
    ASSERT_EQ(found.models.size(), 2U);
    EXPECT_EQ(found.models[0].id, "a");
    EXPECT_EQ(found.models[1].id, "sub-a");
    ASSERT_EQ(found.broken.size(), 1U);
    EXPECT_NE(found.broken[0].reason.find("not a GGUF file"), std::string::npos);
}

TEST_F(ScanTest, CountsAFileOnceHoweverManyNamesItHas) {
    write("b/real.gguf");
    fs::create_symlink("b/real.gguf", folder_ / "models/a-link.gguf");
    fs::create_hard_link(folder_ / "models/b/real.gguf", folder_ / "models/c.gguf");
    const auto found = scan_now();
    ASSERT_EQ(found.models.size(), 1U);
    EXPECT_EQ(found.models[0].id, "real");
}

TEST_F(ScanTest, AddsConfiguredFilesFromOutside) {
    folder_.write("outside/x-00001-of-00001.gguf", bytes_);
    plan_.files = {{"mine", folder_ / "outside/x-00001-of-00001.gguf"},
                   {"gone", folder_ / "outside/gone.gguf"}};
    const auto found = scan_now();
    ASSERT_EQ(found.models.size(), 1U);
    EXPECT_EQ(found.models[0].id, "mine");
    EXPECT_EQ(found.models[0].source, Source::config);
    ASSERT_EQ(found.broken.size(), 1U);
    EXPECT_NE(found.broken[0].reason.find("[model.\"gone\"]"), std::string::npos);
}

TEST_F(ScanTest, ChangesItsFingerprintWithWhatItFinds) {
    write("a.gguf");
    const auto first = scan_now().fingerprint;
    headers_.finish_scan();
    EXPECT_EQ(scan_now().fingerprint, first);
    EXPECT_EQ(headers_.reads(), 0U);
    write("b.gguf");
    const auto second = scan_now().fingerprint;
    EXPECT_NE(second, first);
    fs::remove(folder_ / "models/b.gguf");
    EXPECT_EQ(scan_now().fingerprint, first);
}

TEST_F(ScanTest, WatchesTheParentOfADirectoryThatIsNotThere) {
    std::vector<std::string> watched;
    plan_.on_folder = [&watched](const std::string& path) { watched.push_back(path); };
    const auto found = scan_now();
    EXPECT_TRUE(found.models.empty());
    EXPECT_EQ(watched, std::vector<std::string>{folder_.path()});
}

}  // namespace
}  // namespace routerd
