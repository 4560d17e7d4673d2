#include "daemon/proxy/form.hpp"

#include <gtest/gtest.h>

namespace routerd {
namespace {

constexpr std::string_view boundary = "xYz";

std::string part(const std::string& headers, const std::string& value) {
    return "--xYz\r\n" + headers + "\r\n\r\n" + value + "\r\n";
}

std::string field(const std::string& name, const std::string& value) {
    return part("Content-Disposition: form-data; name=\"" + name + "\"", value);
}

const std::string file = part(
    "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\";.wav\"\r\n"
    "Content-Type: audio/wav",
    std::string("RIFF\r\n--xY\r\nname=\"model\"\r\n\r\n") + '\0' + "\n");
const std::string last = "--xYz--\r\n";

std::string refusal(const std::string& body) {
    const auto peeked = peek_form(body, boundary);
    return peeked ? "" : peeked.error().message();
}

TEST(FormTest, FindsTheBoundary) {
    EXPECT_EQ(boundary_of("multipart/form-data; boundary=xYz"), "xYz");
    EXPECT_EQ(boundary_of("Multipart/Form-Data ;charset=\"a;b\"; BOUNDARY=\"a b:c\""), "a b:c");
    EXPECT_EQ(boundary_of("multipart/form-data; boundary=" + std::string(70, 'x')),
              std::string(70, 'x'));
    for (const std::string other :
         {"multipart/mixed; boundary=x", "multipart/form-data",
          "multipart/form-data; boundary=", "multipart/form-data; boundary=\"x",
          "multipart/form-data; boundary=\"x \"", "multipart/form-data; boundary=x; boundary=y",
          "multipart/form-data; boundary=\"a\\\"b\"", "multipart/form-data; boundary=x; y",
          "multipart/form-data; boundary=x\ty", "application/json", ""}) {
        EXPECT_FALSE(boundary_of(other)) << other;
    }
    EXPECT_FALSE(boundary_of("multipart/form-data; boundary=" + std::string(71, 'x')));
}

TEST(FormTest, FindsModelAndStreamBesideAFile) {
    const auto peeked = peek_form(
        file + field("model", "whisper") + field("stream", "True") + field("empty", "") + last,
        boundary);
    ASSERT_TRUE(peeked) << peeked.error().message();
    EXPECT_EQ(peeked->model, "whisper");
    EXPECT_TRUE(peeked->stream);
    const auto without = peek_form("\r\n" + file + "--xYz--", boundary);
    ASSERT_TRUE(without) << without.error().message();
    EXPECT_FALSE(without->model);
    EXPECT_FALSE(without->stream);
    EXPECT_TRUE(peek_form("--xYz--", boundary)) << "a form of no fields";
    EXPECT_EQ(peek_form("--xYz \t" + field("model", "m").substr(5) + last, boundary)->model, "m")
        << "blanks behind a boundary";
    EXPECT_EQ(peek_form(part("content-type: text/plain\r\nCONTENT-DISPOSITION:form-data;name=model",
                             "m") +
                            last,
                        boundary)
                  ->model,
              "m");
}

TEST(FormTest, RefusesWhatIsNoForm) {
    const auto good = field("model", "m");
    EXPECT_EQ(refusal(""),
              "the request body is no multipart/form-data: at byte 0, it does not begin with its "
              "boundary");
    for (const auto& [body, why] : std::initializer_list<std::pair<std::string, std::string>>{
             {"{\"model\":\"m\"}", "it does not begin with its boundary"},
             {"a preamble\r\n" + good + last, "it does not begin with its boundary"},
             {good, "a boundary is missing behind this field"},
             {good + "--xYz", "there is something behind a boundary"},
             {good + "--xYzz\r\n", "there is something behind a boundary"},
             {good + last + good, "there is something behind the last boundary"},
             {good + last + " ", "there is something behind the last boundary"},
             {field("a", "b\n--xYz--") + last, "does not end in CR LF"},
             {part("Content-Type: a/b", "m") + last, "do not say its name"},
             {part("Content-Disposition: attachment; name=model", "m") + last, "do not say"},
             {part("Content-Disposition: form-data; name=model; name=a", "m") + last, "do not say"},
             {part("Content-Disposition: form-data; name=\"model", "m") + last, "do not say"},
             {part("Content-Disposition: form-data; name=\"mod\\el\"", "m") + last, "do not say"},
             {part("Content-Disposition: form-data; name=a; name*=utf-8''model", "m") + last,
              "do not say"},
             {part("Content-Disposition : form-data; name=model", "m") + last, "do not say"},
             {part("Content-Disposition: form-data;\r\n name=model", "m") + last, "do not say"},
             {part("A: b\nContent-Disposition: form-data; name=model", "m") + last, "do not say"},
             {"--xYz\r\nContent-Disposition: form-data; name=a\r\n" + last, "do not say"}}) {
        EXPECT_NE(refusal(body).find(why), std::string::npos) << body << "\n" << refusal(body);
    }
    EXPECT_EQ(refusal(good + good + last), "'model' is there twice");
    const auto no_text = "'model' must be a text, not a file";
    EXPECT_EQ(refusal(field("model", "\xFF") + last), no_text);
    EXPECT_EQ(refusal(part("Content-Disposition: form-data; name=model; filename=x", "m") + last),
              no_text);
}

TEST(FormTest, FindsABoundaryWhereverItIsAndWhateverIsBeforeIt) {
    for (const std::string filler : {"x", "\n", "-", "\n-", "\n--", "\r\n--xY", "x--xYz"}) {
        std::string value;
        for (std::size_t size = 0; size < 100; ++size) {
            value += filler[size % filler.size()];
            const auto peeked =
                peek_form(field("a", value + ".") + field("model", "m") + last, boundary);
            ASSERT_TRUE(peeked) << peeked.error().message() << " after " << value;
            EXPECT_EQ(peeked->model, "m") << value;
        }
    }
}

TEST(FormTest, SetsAndRemovesFieldsAndLeavesTheOthersAsTheyCame) {
    const auto body =
        field("model", "ours") + file + field("language", "en") + field("temperature", "1") + last;
    const auto rewritten = rewrite_form(
        body, boundary, {{"model", R"("th\u0065irs")"}, {"temperature", "0.5"}, {"a\"b", "true"}},
        {"language", "none"});
    ASSERT_TRUE(rewritten) << rewritten.error().message();
    const auto set = [](const std::string& name, const std::string& value) {
        return part("content-disposition: form-data; name=\"" + name + "\"", value);
    };
    EXPECT_EQ(*rewritten, set("a%22b", "true") + set("model", "theirs") +
                              set("temperature", "0.5") + file + last);
    EXPECT_EQ(peek_form(*rewritten, boundary)->model, "theirs");
    const auto refused = rewrite_form(body, boundary, {{"model", R"("a--xYz")"}}, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("boundary"), std::string::npos);
}

}  // namespace
}  // namespace routerd
