#include <filesystem>

#include <gtest/gtest.h>

#include "daemon/catalog/places.hpp"
#include "daemon/catalog/scan.hpp"
#include "daemon/catalog/sources/huggingface.hpp"
#include "daemon/catalog/sources/lmstudio.hpp"
#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

class SourcesTest : public testing::Test {
  protected:
    Found scan_store(const std::string& store) {
        ModelsConfig models;
        models.stores = {store};
        ScanPlan plan;
        plan.places = places(models, environment_);
        Headers headers;
        return scan(plan, headers);
    }

    std::string model_bytes_ = test::GgufWriter::model().file();
    test::TempDir home_;
    Environment environment_{{"HOME", home_.path()}};
};

TEST_F(SourcesTest, ReadsTheHubCache) {
    const std::string repo = ".cache/huggingface/hub/models--org--My-Model-GGUF/";
    home_.write(repo + "blobs/abc", model_bytes_);
    home_.write(repo + "blobs/old", model_bytes_ + "older");
    home_.write(repo + "refs/main", "r2");
    for (const auto& [revision, blob] : {std::pair{"r1", "old"}, {"r2", "abc"}}) {
        const auto snapshot = home_ / (repo + "snapshots/" + revision);
        fs::create_directories(snapshot);
        fs::create_symlink(std::string("../../blobs/") + blob, snapshot + "/My-Model-Q4_K_M.gguf");
    }
    const auto found = scan_store("huggingface");
    ASSERT_EQ(found.models.size(), 1U);
    EXPECT_EQ(found.models[0].id, "my-model-q4_k_m");
    EXPECT_EQ(found.models[0].repo, "org/My-Model-GGUF");
    EXPECT_EQ(found.models[0].source, Source::huggingface);
    EXPECT_NE(found.models[0].files.front().find("/r2/"), std::string::npos);
    EXPECT_TRUE(found.broken.empty());
}

TEST_F(SourcesTest, ReadsLlamaCppsCache) {
    const std::string name = ".cache/llama.cpp/org_My-GGUF_my-Q8_0.gguf";
    home_.write(name, model_bytes_);
    home_.write(name + ".json",
                R"({"url":"https://huggingface.co/org/My-GGUF/resolve/main/my-Q8_0.gguf"})");
    const auto found = scan_store("llama.cpp");
    ASSERT_EQ(found.models.size(), 1U);
    EXPECT_EQ(found.models[0].id, "my-q8_0");
    EXPECT_EQ(found.models[0].repo, "org/My-GGUF");
}

TEST_F(SourcesTest, ReadsLmStudio) {
    home_.write(".lmstudio/models/org/My-GGUF/my-Q8_0.gguf", model_bytes_);
    const auto found = scan_store("lmstudio");
    ASSERT_EQ(found.models.size(), 1U);
    EXPECT_EQ(found.models[0].repo, "org/My-GGUF");
    home_.write(".lmstudio-home-pointer", home_ / "moved\n");
    EXPECT_EQ(sources::lmstudio_folders(environment_).front(), home_ / "moved/models");
}

std::string manifest(const std::string& digest) {
    return R"({"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:)" +
           digest + R"("}]})";
}

TEST_F(SourcesTest, ReadsOllama) {
    const std::string digest(64, 'a');
    const std::string manifests = ".ollama/models/manifests/registry.ollama.ai/library/";
    home_.write(".ollama/models/blobs/sha256-" + digest, model_bytes_);
    home_.write(manifests + "llama3.2/1b", manifest(digest));
    home_.write(manifests + "llama3.2/latest", manifest(digest));
    home_.write(manifests + "gone/7b", manifest(std::string(64, 'b')));
    home_.write(manifests + "evil/1b", manifest("../../../etc/passwd"));
    const auto found = scan_store("ollama");
    ASSERT_EQ(found.models.size(), 1U);
    EXPECT_EQ(found.models[0].id, "llama3.2-1b");
    EXPECT_EQ(found.models[0].aliases,
              (std::vector<std::string>{"llama3.2:1b", "llama3.2:latest", "llama3.2"}));
    EXPECT_EQ(found.broken.size(), 2U);
}

TEST_F(SourcesTest, TakesFoldersFromTheEnvironment) {
    environment_["HF_HOME"] = "/hf";
    EXPECT_EQ(sources::huggingface_folders(environment_).front(), "/hf/hub");
    ModelsConfig models;
    models.dirs = {"~/models/", "~/models", "/srv/models"};
    const auto found = places(models, environment_);
    EXPECT_EQ(found[0].path, home_ / "models");
    EXPECT_EQ(found[1].path, "/srv/models");
    EXPECT_EQ(found[2].path, "/hf/hub");
}

}  // namespace
}  // namespace routerd
