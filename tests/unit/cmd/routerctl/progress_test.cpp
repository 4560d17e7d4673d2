#include "cmd/routerctl/output/progress.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "cmd/routerctl/output/columns.hpp"
#include "cmd/routerctl/output/screen.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

api::PullFile part(const std::string& name, const std::string& state, std::uint64_t size,
                   std::uint64_t done) {
    api::PullFile file;
    file.name = name;
    file.state = state;
    file.size = size;
    file.done = done;
    file.rate = state == "downloading" ? 10 * mib : 0;
    return file;
}

api::Pull pull_of(std::vector<api::PullFile> files) {
    api::Pull pull;
    pull.id = "1";
    pull.name = "org/repo:Q4_K_M";
    pull.state = "downloading";
    pull.files = std::move(files);
    pull.size = 0;
    for (const auto& file : pull.files) {
        *pull.size += file.size.value_or(0);
        pull.done += file.done;
        pull.rate += file.rate;
    }
    pull.eta_seconds = 64;
    return pull;
}

std::vector<std::string> texts(const api::Pull& pull, const Look& look) {
    std::vector<std::string> lines;
    for (const auto& line : render_progress(pull, look)) {
        lines.push_back(line.text);
    }
    return lines;
}

Look look_of(std::size_t width) {
    Look look;
    look.width = width;
    return look;
}

using Lines = std::vector<std::string>;

TEST(ProgressTest, OneFileIsOneBar) {
    const auto pull = pull_of({part("model-Q4_K_M.gguf", "downloading", 4 * gib, gib)});
    EXPECT_EQ(texts(pull, look_of(100)),
              Lines{"model-Q4_K_M.gguf   25%  ████████░░░░░░░░░░░░░░░░░░░░░░░░"
                    "    1.0 GiB/4.0 GiB    10 MiB/s  5m 7s"});
}

TEST(ProgressTest, SeveralFilesHaveATotal) {
    const auto pull =
        pull_of({part("a.gguf", "complete", gib, gib), part("bb.gguf", "downloading", gib, gib / 2),
                 part("c.gguf", "waiting", 2 * gib, 0)});
    EXPECT_EQ(
        texts(pull, look_of(80)),
        (Lines{"a.gguf   100%  ██████████████████████    1.0 GiB/1.0 GiB              done",
               "bb.gguf   50%  ███████████░░░░░░░░░░░    512 MiB/1.0 GiB    10 MiB/s  51 s",
               "c.gguf     0%  ░░░░░░░░░░░░░░░░░░░░░░        0 B/2.0 GiB              waiting",
               "total     37%  ████████░░░░░░░░░░░░░░    1.5 GiB/4.0 GiB    10 MiB/s  1m 4s"}));
}

TEST(ProgressTest, LeavesFiguresOutAndShortensNamesWhereRoomLacks) {
    const auto pull = pull_of({part("Some-Long-Model-Name-Q4_K_M.gguf", "downloading", gib, 0)});
    EXPECT_EQ(texts(pull, look_of(60)),
              Lines{"Some-Long-…_K_M.gguf    0%  ░░░░░░░░    10 MiB/s  1m 42s"});
    EXPECT_EQ(texts(pull, look_of(40)), Lines{"Some-L….gguf    0%  ░░░░░░░░  1m 42s"});
    EXPECT_EQ(texts(pull, look_of(30)), Lines{"Some-L…M.gguf    0%  ░░░░░░░░"});
    EXPECT_EQ(texts(pull, look_of(12)), Lines{"So…uf    0%"});
}

TEST(ProgressTest, IsAsciiWhereTheLocaleIs) {
    auto look = look_of(60);
    look.utf8 = false;
    const auto pull = pull_of({part("mödel-with-a-name-Q4_K_M.gguf", "downloading", gib, gib / 2)});
    EXPECT_EQ(texts(pull, look), Lines{"m?del-wit.._K_M.gguf   50%  ####....    10 MiB/s  51 s"});
}

TEST(ProgressTest, SaysHowItStandsWhenItDoesNotMove) {
    auto pull = pull_of({});
    pull.size.reset();
    pull.eta_seconds.reset();
    pull.state = "resolving";
    EXPECT_EQ(texts(pull, look_of(60)),
              Lines{"org/repo:Q4_K_M        ░░░░░░░░░░░░░              resolving"});
    pull = pull_of({part("m.gguf", "waiting", gib, gib / 2)});
    pull.state = "retrying";
    pull.error = "the origin\x1b[2J answered 503 and said a lot about it";
    const auto lines = texts(pull, look_of(50));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], "m.gguf   50%  ██████░░░░░░              retrying");
    EXPECT_EQ(lines[1], "retrying: the origin\\x1B[2J answered 503 and sa…");
}

TEST(ProgressTest, ShowsTheFilesThatMoveWhenThereAreMoreThanRows) {
    std::vector<api::PullFile> files;
    for (int i = 10; i < 30; ++i) {
        files.push_back(part("part-" + std::to_string(i), i < 13 ? "complete" : "waiting", gib, 0));
    }
    files[15].state = "downloading";
    auto look = look_of(80);
    look.rows = 8;
    const auto lines = texts(pull_of(files), look);
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_TRUE(lines[0].starts_with("part-13")) << lines[0];
    EXPECT_TRUE(lines[3].starts_with("part-25")) << lines[3];
    EXPECT_EQ(lines[4], "and 16 files more");
    EXPECT_TRUE(lines[5].starts_with("total")) << lines[5];
}

/// Whatever comes, no line is wider than it may be, and it is as wide as it says.
TEST(ProgressTest, NoLineIsAsWideAsTheTerminal) {
    auto pull = pull_of({part("模型模型模型模型-Q4_K_M.gguf", "downloading", gib, gib / 3),
                         part("a\x1b[2J\xff\u202e\n-b.gguf", "verifying", 1000 * mib, 1000 * mib),
                         part("", "something new", 0, 0),
                         part(std::string(5000, 'x'), "downloading", ~std::uint64_t{0}, 1)});
    pull.files.back().size.reset();
    pull.state = "retrying";
    pull.error = "模型模型模型模型 " + std::string(300, 'y');
    for (std::size_t width = 0; width < 130; ++width) {
        for (const bool utf8 : {true, false}) {
            auto look = look_of(width);
            look.utf8 = utf8;
            for (const auto& line : render_progress(pull, look)) {
                EXPECT_EQ(line.columns, columns_of(line.text)) << width << ": " << line.text;
                EXPECT_LE(line.columns, std::max<std::size_t>(width, 2) - 1) << line.text;
                EXPECT_EQ(line.text.find_first_of("\x1b\n\xff"), std::string::npos) << line.text;
            }
        }
    }
}

TEST(ProgressTest, ColoursTakeNoRoom) {
    const auto pull =
        pull_of({part("m.gguf", "complete", gib, gib), part("n.gguf", "waiting", 1, 0)});
    auto look = look_of(60);
    const auto plain = render_progress(pull, look);
    look.colors = Palette(Palette::Use::on);
    const auto colored = render_progress(pull, look);
    ASSERT_EQ(plain.size(), colored.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
        EXPECT_EQ(plain[i].columns, colored[i].columns);
    }
    EXPECT_NE(colored[0].text.find("\x1b[32m████"), std::string::npos) << colored[0].text;
}

TEST(ProgressTest, HundredPercentIsAll) {
    EXPECT_EQ(percent_of(0, 0), 100U);
    EXPECT_EQ(percent_of(999'999, 1'000'000), 99U);
    EXPECT_EQ(percent_of(5, 4), 100U);
    EXPECT_EQ(percent_of(~std::uint64_t{0} - 1, ~std::uint64_t{0}), 99U);
}

TEST(ProgressTest, InWords) {
    auto pull = pull_of({part("m.gguf", "downloading", 4 * gib, 2 * gib)});
    EXPECT_EQ(progress_in_words(pull), "org/repo:Q4_K_M: 50 % of 4.0 GiB, 10 MiB/s, 1m 4s left");
    pull.state = "complete";
    pull.done = 4 * gib;
    EXPECT_EQ(progress_in_words(pull), "org/repo:Q4_K_M: 100 % of 4.0 GiB");
    pull.size.reset();
    EXPECT_EQ(progress_in_words(pull), "org/repo:Q4_K_M: 4.0 GiB");
    EXPECT_EQ(format_eta(59), "59 s");
    EXPECT_EQ(format_eta(~std::uint64_t{0}), "99d");
}

TEST(ColumnsTest, ShortensInTheMiddle) {
    EXPECT_EQ(shortened_in_the_middle("abcdef", 6, true), "abcdef");
    EXPECT_EQ(shortened_in_the_middle("abcdefg", 6, true), "abc…fg");
    EXPECT_EQ(shortened_in_the_middle("abcdefg", 6, false), "ab..fg");
    EXPECT_EQ(shortened_in_the_middle("模型模型", 6, true), "模…型");
    EXPECT_EQ(shortened_in_the_middle("abc", 1, true), "…");
    EXPECT_EQ(shortened_in_the_middle("abc", 0, true), "");
}

class ScreenTest : public testing::Test {
  protected:
    std::string written() {
        auto text = out_.str();
        out_.str("");
        return text;
    }

    std::ostringstream out_;
    Screen screen_{out_};
};

TEST_F(ScreenTest, DrawsInPlace) {
    screen_.draw({{.text = "one", .columns = 3}, {.text = "two", .columns = 3}}, 80);
    EXPECT_EQ(written(), "\rone\x1b[K\ntwo\x1b[K\n\x1b[J");
    screen_.draw({{.text = "three", .columns = 5}}, 80);
    EXPECT_EQ(written(), "\r\x1b[2Athree\x1b[K\n\x1b[J");
}

TEST_F(ScreenTest, KnowsThatANarrowerTerminalHasWrappedItsLines) {
    screen_.draw({{.text = std::string(79, 'a'), .columns = 79}, {.text = "b", .columns = 1}}, 80);
    written();
    screen_.draw({{.text = "c", .columns = 1}}, 30);
    EXPECT_EQ(written(), "\r\x1b[4Ac\x1b[K\n\x1b[J");
}

TEST_F(ScreenTest, SaysThingsAboveAndLeavesTheLastStateThere) {
    screen_.draw({{.text = "bar", .columns = 3}}, 80);
    written();
    screen_.say("note", 80);
    EXPECT_EQ(written(), "\r\x1b[1A\x1b[Jnote\n");
    screen_.draw({{.text = "bar", .columns = 3}}, 80);
    EXPECT_EQ(written(), "\rbar\x1b[K\n\x1b[J");
    screen_.leave();
    EXPECT_EQ(written(), "\r\x1b[K");
    screen_.draw({{.text = "bar", .columns = 3}}, 80);
    EXPECT_EQ(written(), "\rbar\x1b[K\n\x1b[J");
}

TEST_F(ScreenTest, AsksForTheSizeAndDoesWithoutIt) {
    EXPECT_EQ(size_of_terminal(-1).width, 80U);
    EXPECT_EQ(size_of_terminal(-1).rows, 24U);
}

}  // namespace
}  // namespace routerd::ctl
