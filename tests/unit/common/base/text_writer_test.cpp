#include "common/base/text_writer.hpp"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace routerd {
namespace {

TEST(TextWriterTest, AppendsToWhatIsThereHoweverMuchComes) {
    for (const std::size_t room : {0U, 1U, 5U, 1000U}) {
        std::string text = "before ";
        {
            TextWriter writer(text, room);
            writer.add("a", std::string_view(), std::string("bc"), "");
            writer.add(std::string(300, 'd'), "e");
        }
        EXPECT_EQ(text, "before abc" + std::string(300, 'd') + "e") << room;
    }
}

TEST(TextWriterTest, LeavesATextThatGetsNothing) {
    std::string text = "as it was";
    { const TextWriter writer(text, 100); }
    EXPECT_EQ(text, "as it was");
}

TEST(DecimalTest, WritesEachNumber) {
    EXPECT_EQ(Decimal(0).text(), "0");
    EXPECT_EQ(Decimal(200U).text(), "200");
    EXPECT_EQ(Decimal(std::numeric_limits<std::uint64_t>::max()).text(), "18446744073709551615");
    EXPECT_EQ(Decimal(std::numeric_limits<std::int64_t>::min()).text(), "-9223372036854775808");
}

}  // namespace
}  // namespace routerd
