#include "common/client/address.hpp"

#include <gtest/gtest.h>

namespace routerd::client {
namespace {

struct AddressCase {
    const char* name;
    const char* text;
    const char* meaning;  ///< Address::text(), or empty when it must be refused
};

class AddressText : public testing::TestWithParam<AddressCase> {};

TEST_P(AddressText, IsUnderstoodOrRefused) {
    const auto address = parse_address(GetParam().text);
    EXPECT_EQ(address ? address->text() : "", GetParam().meaning);
}

INSTANTIATE_TEST_SUITE_P(
    All, AddressText,
    testing::Values(AddressCase{"Unix", "unix:///run/r.sock", "unix:///run/r.sock"},
                    AddressCase{"UnixShort", "unix:/run/r.sock", "unix:///run/r.sock"},
                    AddressCase{"Path", "/run/r.sock", "unix:///run/r.sock"},
                    AddressCase{"Http", "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
                    AddressCase{"HttpSlash", "http://localhost:8080/", "http://localhost:8080"},
                    AddressCase{"HttpDefaultPort", "http://box", "http://box:80"},
                    AddressCase{"HostPort", "box:9000", "http://box:9000"},
                    AddressCase{"V6", "http://[::1]:8080", "http://[::1]:8080"},
                    AddressCase{"V6DefaultPort", "http://[::1]", "http://[::1]:80"},
                    AddressCase{"RelativeUnix", "unix://run/r.sock", ""},
                    AddressCase{"NoPort", "box", ""}, AddressCase{"BadPort", "box:70000", ""},
                    AddressCase{"PortZero", "box:0", ""}, AddressCase{"PortText", "box:80x", ""},
                    AddressCase{"Https", "https://box", ""},
                    AddressCase{"WithPath", "http://box:80/x", ""},
                    AddressCase{"OpenBracket", "http://[::1", ""}, AddressCase{"Root", "/", ""},
                    AddressCase{"Empty", "", ""}),
    [](const auto& row) { return row.param.name; });

TEST(CandidatesTest, OptionThenVariableThenSystemThenUser) {
    const Environment none{{"XDG_RUNTIME_DIR", "/run/user/1000"}};
    const auto usual = candidates("", none);
    ASSERT_TRUE(usual);
    ASSERT_EQ(usual->size(), 2U);
    EXPECT_EQ((*usual)[0].text(), "unix:///run/routerd/routerd.sock");
    EXPECT_EQ((*usual)[1].text(), "unix:///run/user/1000/routerd.sock");

    const Environment variable{{"ROUTERD_HOST", "box:1"}};
    EXPECT_EQ(candidates("", variable)->at(0).text(), "http://box:1");
    EXPECT_EQ(candidates("box:2", variable)->at(0).text(), "http://box:2");
}

TEST(CandidatesTest, SaysWhichSettingIsWrong) {
    const auto bad = candidates("", Environment{{"ROUTERD_HOST", "nonsense"}});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message(), "ROUTERD_HOST: 'nonsense' is not an address");
}

}  // namespace
}  // namespace routerd::client
