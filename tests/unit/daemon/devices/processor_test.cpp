#include "daemon/devices/processor.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

bool has_tiles_with(const std::string& flags) {
    const test::TempDir folder;
    folder.write("cpuinfo", "processor\t: 0\nflags\t\t: fpu " + flags +
                                " md_clear\nvmx flags\t: amx_int8\n\nprocessor\t: 1\n");
    return has_tiles({folder.path(), ""});
}

TEST(ProcessorTest, HasTilesWhereTheKernelSaysSo) {
    EXPECT_TRUE(has_tiles_with("avx512_vnni amx_tile amx_int8"));
    EXPECT_FALSE(has_tiles_with("avx512_vnni amx_tile")) << "no integers";
    EXPECT_FALSE(has_tiles_with("amx_int8x avx512_vnni"));
    EXPECT_FALSE(has_tiles_with("amx_int8")) << "ggml wants both";
    EXPECT_FALSE(has_tiles({"/nowhere", ""}));
}

}  // namespace
}  // namespace routerd
