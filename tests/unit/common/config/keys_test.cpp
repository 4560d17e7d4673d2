#include "common/config/keys.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/load.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(KeysTest, EveryKeyIsDescribedOnce) {
    std::set<std::string> names;
    for (const auto& key : describe_keys()) {
        EXPECT_TRUE(names.insert(key.name).second) << key.name << " twice";
        EXPECT_NE(key.type, "") << key.name;
        EXPECT_NE(key.meaning, "") << key.name;
    }
    EXPECT_GT(names.size(), 50U);
}

TEST(KeysTest, EveryDefaultIsReadBackAsItself) {
    std::string text;
    for (const auto& key : describe_keys()) {
        const auto dot = key.name.find('.');
        if (!key.default_value.empty()) {
            text += "[" + key.name.substr(0, dot) + "]\n" + key.name.substr(dot + 1) + " = " +
                    key.default_value + "\n";
            const auto loaded = load_config_text(text, key.name);
            EXPECT_THAT(loaded.problems, IsEmpty())
                << (loaded.problems.empty() ? "" : to_text(loaded.problems.front()));
            EXPECT_THAT(difference(loaded.config, load_config_text("", "f").config), IsEmpty());
            text.clear();
        }
    }
}

TEST(KeysTest, EveryKeyIsInTheManual) {
    const auto manual = test::read_file(ROUTERD_SOURCE_DIR "/man/routerd.toml.5");
    for (const auto& key : describe_keys()) {
        const auto word = key.name.substr(key.name.rfind('.') + 1);
        const auto section = key.name.substr(0, key.name.find('.'));
        EXPECT_THAT(manual, HasSubstr("\n.B " + word + "\n")) << key.name;
        EXPECT_THAT(manual, HasSubstr("\n.SS [" + section)) << key.name;
    }
}

TEST(KeysTest, DifferenceNamesWhatChanged) {
    const auto before = load_config_text("[model.a]\ncontext = 1\npin = true\n", "f").config;
    const auto after = load_config_text(
        "[limits]\nparallel = 2\n[model.a]\ncontext = 2\npin = true\n[model.b]\npin = true\n", "f");
    EXPECT_THAT(difference(before, after.config),
                ElementsAre("limits.parallel", "model.\"a\".context", "model.\"b\".pin"));
    EXPECT_THAT(difference(before, before), IsEmpty());
}

}  // namespace
}  // namespace routerd
