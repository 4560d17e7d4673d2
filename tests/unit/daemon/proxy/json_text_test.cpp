#include "daemon/proxy/json_text.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace routerd {
namespace {

/// Memory of just the padded text, so that a sanitizer sees more being read.
class Padded {
  public:
    explicit Padded(std::string_view text, char behind = '"')
        : bytes_(text.begin(), text.end()), size_(text.size()) {
        bytes_.resize(size_ + json_padding, behind);
        bytes_.shrink_to_fit();
    }
    std::string_view text() const { return {bytes_.data(), size_}; }

  private:
    std::vector<char> bytes_;
    std::size_t size_;
};

/// The same byte by byte.
std::size_t plain_end_of_string(std::string_view text, std::size_t at) {
    for (; at < text.size(); ++at) {
        if (text[at] == '"') {
            return at + 1;
        }
        at += text[at] == '\\' ? 1U : 0U;
    }
    return std::string_view::npos;
}

std::size_t plain_end_of_nest(std::string_view text, std::size_t at) {
    for (std::size_t depth = 1; at < text.size(); ++at) {
        if (text[at] == '"') {
            at = plain_end_of_string(text, at + 1);
            if (at == std::string_view::npos) {
                return at;
            }
            --at;
        } else if (text[at] == '{' || text[at] == '[') {
            ++depth;
        } else if ((text[at] == '}' || text[at] == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return std::string_view::npos;
}

std::size_t end_of_string(const Padded& padded, std::size_t at) {
    const auto found = end_of_json_string(padded.text(), at);
    for (const auto& ends : all_json_ends()) {
        EXPECT_EQ(ends.of_string(padded.text().data(), padded.text().size(), at), found)
            << &ends - all_json_ends().data() << padded.text();
    }
    return found;
}

std::size_t end_of_nest(const Padded& padded, std::size_t at) {
    const auto found = end_of_json_nest(padded.text(), at);
    for (const auto& ends : all_json_ends()) {
        EXPECT_EQ(ends.of_nest(padded.text().data(), padded.text().size(), at), found)
            << &ends - all_json_ends().data() << padded.text();
    }
    return found;
}

TEST(JsonTextTest, FindsTheEndsThatAWalkByteByByteFinds) {
    std::mt19937 random(1);
    const std::string letters = "\"\"\\\\\\aaaa{}[]b";
    unsigned found = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random() % 300, ' ');
        const bool has_little = round % 2 == 0;
        for (auto& c : text) {
            const bool is_plain = has_little && random() % 16 != 0;
            c = is_plain ? 'x' : letters[random() % letters.size()];
        }
        const Padded padded(text, letters[random() % letters.size()]);
        for (const std::size_t at : {0U, 1U, 63U, 64U}) {
            ASSERT_EQ(end_of_string(padded, at), plain_end_of_string(text, at))
                << text << " from " << at;
        }
        // Outside a string a backslash is no JSON, and what comes of it does not matter.
        std::ranges::replace(text, '\\', 'y');
        const Padded without(text, '}');
        ASSERT_EQ(end_of_nest(without, 0), plain_end_of_nest(text, 0)) << text;
        found += plain_end_of_nest(text, 0) != std::string_view::npos ? 1U : 0U;
    }
    EXPECT_GT(found, 1000U);
}

TEST(JsonTextTest, CountsBackslashesAcrossBlocks) {
    for (std::size_t before = 0; before < 130; ++before) {
        for (std::size_t slashes = 0; slashes < 140; ++slashes) {
            const auto text = std::string(before, 'x') + std::string(slashes, '\\') + "\"]\"]";
            const Padded padded(text);
            const bool is_escaped = slashes % 2 == 1;
            const auto quote = before + slashes;
            ASSERT_EQ(end_of_string(padded, 0), quote + (is_escaped ? 3 : 1));
            const Padded nest("\"" + text);
            ASSERT_EQ(end_of_nest(nest, 0), quote + (is_escaped ? 5 : 3));
        }
    }
}

std::vector<std::string> keys_and_values(std::string_view text) {
    const Padded padded(text);
    std::vector<std::string> found;
    JsonMembers members(padded.text());
    while (const auto member = members.next()) {
        found.push_back(std::string(member->key) + "=" + std::string(member->value));
        EXPECT_NE(text.find(member->whole()), std::string_view::npos);
    }
    found.push_back(members.fault() == nullptr ? std::to_string(members.at()) : members.fault());
    return found;
}

using Found = std::vector<std::string>;

TEST(JsonTextTest, GivesMembersAsTheyAreWritten) {
    EXPECT_EQ(keys_and_values("{}"), Found{"2"});
    EXPECT_EQ(keys_and_values(" \r\n{\t} x"), Found{"6"});
    EXPECT_EQ(keys_and_values(R"({"a":1.5e+3 , "b" :"\"", "c":[{"]":"}"},[]],"d":{}} {"e":1})"),
              (Found{"a=1.5e+3", "b=\"\\\"\"", R"(c=[{"]":"}"},[]])", "d={}", "51"}));
}

TEST(JsonTextTest, SaysWhatIsMissing) {
    EXPECT_EQ(keys_and_values(""), Found{"'{' is missing"});
    EXPECT_EQ(keys_and_values("[1]"), Found{"'{' is missing"});
    EXPECT_EQ(keys_and_values("{"), Found{"a value is missing"});
    EXPECT_EQ(keys_and_values("{1:2}"), Found{"a key is missing before this"});
    EXPECT_EQ(keys_and_values("{\"a\"}"), Found{"':' is missing"});
    EXPECT_EQ(keys_and_values("{\"a\":}"), Found{"a value is missing"});
    EXPECT_EQ(keys_and_values("{\"a"), Found{"a string does not end"});
    EXPECT_EQ(keys_and_values("{\"a\":1"), (Found{"a=1", "',' or '}' is missing"}));
    EXPECT_EQ(keys_and_values("{\"a\":1 2}"), (Found{"a=1", "',' or '}' is missing"}));
    EXPECT_EQ(keys_and_values("{\"a\":1,}"), (Found{"a=1", "a value is missing"}));
    EXPECT_EQ(keys_and_values("{\"a\":[\"]}"), Found{"an object or array does not end"});
}

TEST(JsonTextTest, KnowsAKeyThatIsWrittenWithEscapes) {
    const Padded padded(R"({"mod\u0065l":1,"mod\xl":2,"model":3})");
    JsonMembers members(padded.text());
    EXPECT_TRUE(members.next()->is_called("model"));
    EXPECT_FALSE(members.next()->is_called("model"));
    EXPECT_TRUE(members.next()->is_called("model"));
}

TEST(JsonTextTest, FindsTheEndOfAStringWhereverItLies) {
    for (std::size_t length = 0; length < 40; ++length) {
        const std::string name(length, 'n');
        for (const std::string tail : {"", "\\\"", "\\\\"}) {
            const Padded padded("{\"" + name + tail + "\":\"" + tail + name + "\"}");
            JsonMembers members(padded.text());
            const auto member = members.next();
            ASSERT_TRUE(member) << length << tail;
            EXPECT_EQ(member->key, name + tail);
            EXPECT_EQ(member->value, "\"" + tail + name + "\"");
            EXPECT_EQ(member->has_escape, !tail.empty());
        }
        const Padded open("{\"" + name);
        JsonMembers members(open.text());
        EXPECT_FALSE(members.next()) << length << ": what lies behind the text is no end";
        EXPECT_STREQ(members.fault(), "a string does not end");
    }
}

TEST(JsonTextTest, ReadsTexts) {
    EXPECT_EQ(json_text("plain"), "plain");
    EXPECT_EQ(json_text(R"(caf\u00e9 \"\n)"), "café \"\n");
    EXPECT_EQ(json_text("caf\xc3\xa9"), "café");
    EXPECT_FALSE(json_text("\xff"));
    EXPECT_FALSE(json_text("\n"));
    EXPECT_FALSE(json_text("\\x"));
    EXPECT_FALSE(json_text("\\"));
}

}  // namespace
}  // namespace routerd
