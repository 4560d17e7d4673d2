#include "daemon/gguf/reader.hpp"

#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/gguf_writer.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::gguf {
namespace {

using test::GgufWriter;

class GgufReaderTest : public testing::Test {
  protected:
    Result<Metadata> read(const std::string& bytes, const Limits& limits = {}) {
        folder_.write("x.gguf", bytes);
        return read_file(path_, limits);
    }

    test::TempDir folder_;
    std::string path_ = folder_.path() + "/x.gguf";
};

TEST_F(GgufReaderTest, ReadsWhatTheRouterWantsToKnow) {
    auto writer = GgufWriter::model("gemma3", "Gemma é");
    writer.number("general.file_type", 15).text("tokenizer.ggml.model", "gpt2");
    writer.number("gemma3.attention.head_count", 8);
    writer.numbers("gemma3.attention.head_count_kv", {4, 1, 4, 1});
    writer.number("gemma3.attention.sliding_window", 512);
    writer.texts("tokenizer.ggml.tokens", {"<s>", "</s>", "a"});
    const auto metadata = read(writer.file());
    ASSERT_TRUE(metadata) << metadata.error().message();
    EXPECT_EQ(metadata->architecture, "gemma3");
    EXPECT_EQ(metadata->name, "Gemma é");
    EXPECT_EQ(metadata->quantization, "Q4_K_M");
    EXPECT_EQ(metadata->parameters, 128U);
    EXPECT_EQ(metadata->tensor_bytes, 512U);
    EXPECT_EQ(metadata->context_length, 4096U);
    EXPECT_EQ(metadata->head_count, std::vector<std::uint64_t>{8});
    EXPECT_EQ(metadata->head_count_kv, (std::vector<std::uint64_t>{4, 1, 4, 1}));
    EXPECT_EQ(metadata->sliding_window, 512U);
    EXPECT_EQ(metadata->vocab_size, 3U);
    EXPECT_EQ(metadata->tokenizer, "gpt2");
}

TEST_F(GgufReaderTest, TakesKeysThatStandBeforeTheArchitecture) {
    GgufWriter writer;
    writer.number("qwen3.block_count", 28).number("other.block_count", 7);
    writer.text("general.architecture", "qwen3");
    const auto metadata = read(writer.file());
    ASSERT_TRUE(metadata);
    EXPECT_EQ(metadata->block_count, 28U);
}

TEST_F(GgufReaderTest, ReadsSplitsPoolingProjectorsAndAdapters) {
    auto split = GgufWriter::model();
    split.number16("split.no", 1).number16("split.count", 3).number("llama.pooling_type", 4);
    const auto part = read(split.file());
    ASSERT_TRUE(part);
    EXPECT_EQ(part->split_no, 1U);
    EXPECT_EQ(part->split_count, 3U);
    EXPECT_EQ(part->pooling_type, 4U);

    GgufWriter clip;
    clip.text("general.architecture", "clip").text("general.type", "mmproj");
    clip.flag("clip.has_vision_encoder", true).number("clip.vision.projection_dim", 64);
    const auto projector = read(clip.file());
    ASSERT_TRUE(projector);
    EXPECT_TRUE(projector->has_vision_encoder);
    EXPECT_EQ(projector->projection_dim, 64U);

    auto lora = GgufWriter::model();
    lora.text("general.type", "adapter").text("adapter.type", "lora");
    const auto adapter = read(lora.file());
    ASSERT_TRUE(adapter);
    EXPECT_EQ(adapter->adapter_type, "lora");
}

TEST_F(GgufReaderTest, NamesTheQuantizationByMostTensorsWhereTheFileDoesNotSay) {
    GgufWriter writer;
    writer.text("general.architecture", "llama");
    writer.tensor("norm", {64}).tensor("w", {256, 64}, 12, 144 * 64);
    const auto metadata = read(writer.file());
    ASSERT_TRUE(metadata) << metadata.error().message();
    EXPECT_EQ(metadata->quantization, "Q4_K");
}

TEST_F(GgufReaderTest, SkipsTextsOverTheLimitAndCountsThem) {
    auto writer = GgufWriter::model();
    writer.text("tokenizer.chat_template", std::string(3U << 20U, '{'));
    const auto metadata = read(writer.file());
    ASSERT_TRUE(metadata);
    EXPECT_TRUE(metadata->chat_template.empty());
    EXPECT_EQ(metadata->chat_template_bytes, 3U << 20U);
}

TEST_F(GgufReaderTest, MakesForeignTextValidUtf8) {
    const auto metadata = read(GgufWriter::model("llama", "a\xFF\xFE").file());
    ASSERT_TRUE(metadata);
    EXPECT_EQ(metadata->name, "a\uFFFD\uFFFD");
}

TEST_F(GgufReaderTest, RefusesEveryTruncation) {
    const auto whole = GgufWriter::model().texts("tokenizer.ggml.tokens", {"a", "b"}).file();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto metadata = read(whole.substr(0, length));
        ASSERT_FALSE(metadata) << length;
        EXPECT_EQ(metadata.error().code(), Errc::invalid_request) << length;
    }
}

TEST_F(GgufReaderTest, RefusesAFileThatNeedsMoreThanItsBudget) {
    auto writer = GgufWriter::model();
    for (unsigned i = 0; i < 2000; ++i) {
        writer.number("key." + std::to_string(i), i);
    }
    Limits limits;
    limits.memory = 64U << 10U;
    EXPECT_FALSE(read(writer.file(), limits));
    limits = {};
    limits.header = 1024;
    const auto metadata = read(writer.file(), limits);
    ASSERT_FALSE(metadata);
    EXPECT_NE(metadata.error().message().find("header is longer"), std::string::npos);
}

TEST_F(GgufReaderTest, GivesUpWhenTheTimeIsOver) {
    Limits limits;
    limits.time = std::chrono::milliseconds(0);
    const auto metadata = read(GgufWriter::model().file(), limits);
    ASSERT_FALSE(metadata);
    EXPECT_EQ(metadata.error().code(), Errc::deadline_exceeded);
}

TEST_F(GgufReaderTest, NeverWaitsOnWhatIsNoFile) {
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    const auto metadata = read_file(path_);
    ASSERT_FALSE(metadata);
    EXPECT_EQ(metadata.error().code(), Errc::invalid_request);
    EXPECT_FALSE(read_file(folder_.path()));
    EXPECT_EQ(read_file(folder_.path() + "/none").error().code(), Errc::not_found);
}

struct BadCase {
    const char* name;
    std::string bytes;
    const char* reason;
};

class GgufRefusalTest : public testing::TestWithParam<BadCase> {};

TEST_P(GgufRefusalTest, SaysWhy) {
    const test::TempDir folder;
    const auto metadata = read_file(folder.write("x.gguf", GetParam().bytes));
    ASSERT_FALSE(metadata);
    EXPECT_EQ(metadata.error().code(), Errc::invalid_request);
    EXPECT_NE(metadata.error().message().find(GetParam().reason), std::string::npos)
        << metadata.error().message();
}

std::string with_version(std::uint32_t version) {
    auto writer = GgufWriter::model();
    writer.version = version;
    return writer.file();
}

std::string with_tensor(const std::vector<std::uint64_t>& shape, std::uint32_t type) {
    GgufWriter writer;
    writer.text("general.architecture", "llama").tensor("t", shape, type, 64);
    return writer.file();
}

std::string with_pair(std::uint32_t type, const std::string& payload) {
    return GgufWriter::model().raw("k", type, payload).file();
}

constexpr std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();

INSTANTIATE_TEST_SUITE_P(
    Files, GgufRefusalTest,
    testing::Values(
        BadCase{"magic", "PK\3\4" + std::string(64, '\0'), "not a GGUF file"},
        BadCase{"empty", "", "ends at byte 0"}, BadCase{"version_1", with_version(1), "version 1"},
        BadCase{"version_9", with_version(9), "version 9"},
        BadCase{"big_endian", with_version(3U << 24U), "big-endian"},
        BadCase{"no_architecture", GgufWriter().text("general.name", "x").file(), "architecture"},
        BadCase{"bad_architecture", GgufWriter::model("../x").file(), "architecture"},
        BadCase{"twice", GgufWriter::model().text("general.name", "y").file(), "twice"},
        BadCase{"empty_key", GgufWriter::model().number("", 1).file(), "a key of 0 bytes"},
        BadCase{"value_type", with_pair(13, "12345678"), "unknown type 13"},
        BadCase{"flag", with_pair(7, "\2"), "a flag"},
        BadCase{"nested", with_pair(9, std::string("\11\0\0\0", 4) + std::string(8, '\0')),
                "array of arrays"},
        BadCase{"alignment", GgufWriter::model().number("general.alignment", 3).file(),
                "general.alignment"},
        BadCase{"tensor_twice", GgufWriter::model().tensor("token_embd.weight", {8}).file(),
                "twice"},
        BadCase{"long_name", GgufWriter::model().tensor(std::string(64, 'n'), {8}).file(),
                "name of 64 bytes"},
        BadCase{"dimensions", with_tensor({1, 1, 1, 1, 1}, 0), "5 dimensions"},
        BadCase{"overflow", with_tensor({1ULL << 32U, 1ULL << 32U}, 0), "more elements"},
        BadCase{"hidden_overflow", with_tensor({0, huge}, 0), "more elements"},
        BadCase{"bytes_overflow", with_tensor({huge >> 1U}, 0), "bigger than"},
        BadCase{"tensor_type", with_tensor({8}, 4), "unknown type 4"},
        BadCase{"block", with_tensor({33}, 2), "not a multiple of 32"},
        BadCase{"past_end", with_tensor({1U << 20U}, 0), "not complete"}),
    [](const auto& param) { return param.param.name; });

TEST_F(GgufReaderTest, ReadsHeadersLongerThanItsWindow) {
    auto writer = GgufWriter::model();
    writer.texts("tokenizer.ggml.tokens", std::vector<std::string>(50'000, "token"));
    writer.number("llama.vocab_size", 50'001);
    const auto metadata = read(writer.file());
    ASSERT_TRUE(metadata) << metadata.error().message();
    EXPECT_EQ(metadata->vocab_size, 50'001U);
    EXPECT_FALSE(read(writer.file().substr(0, 100'000)));
}

}  // namespace
}  // namespace routerd::gguf
