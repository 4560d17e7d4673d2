#include "daemon/net/listener.hpp"

#include <filesystem>
#include <fstream>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

TEST(ListenAddressTest, ReadsWhatPeopleWrite) {
    EXPECT_EQ(parse_listen_address("127.0.0.1:8080")->text(), "127.0.0.1:8080");
    EXPECT_EQ(parse_listen_address("localhost:1")->text(), "127.0.0.1:1");
    EXPECT_EQ(parse_listen_address("[::1]:8080")->text(), "[::1]:8080");
    EXPECT_EQ(parse_listen_address(":80")->text(), "0.0.0.0:80");
    EXPECT_EQ(parse_listen_address("unix:///run/x.sock")->text(), "unix:///run/x.sock");
    EXPECT_EQ(parse_listen_address("http://127.0.0.1:80")->url(), "http://127.0.0.1:80");
    EXPECT_EQ(parse_listen_address("https://[::1]:443")->url(), "https://[::1]:443");
    EXPECT_EQ(parse_listen_address("unix:///run/x.sock")->url(), "unix:///run/x.sock");
    EXPECT_TRUE(parse_listen_address("127.0.0.1:0")->is_loopback());
    EXPECT_FALSE(parse_listen_address("0.0.0.0:0")->is_loopback());
    for (const auto* bad : {"", "8080", "a:b", "127.0.0.1:", "127.0.0.1:65536", "example.org:80",
                            "unix://relative", "https://unix:///x", "https://http://a:1"}) {
        EXPECT_FALSE(parse_listen_address(bad)) << bad;
    }
}

class ListenerTest : public testing::Test {
  protected:
    Result<Listener> open(const std::string& text) {
        return Listener::open(io_, *parse_listen_address(text));
    }

    asio::io_context loop_{1};
    IoLoop io_{loop_.get_executor()};
    test::TempDir dir_;
};

TEST_F(ListenerTest, APortThatIsTakenSaysWhatToDo) {
    const auto first = open("127.0.0.1:0");
    ASSERT_TRUE(first);
    const auto second = open(first->address().text());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::conflict);
    EXPECT_NE(second.error().message().find(first->address().text()), std::string::npos);
    EXPECT_NE(second.error().hint().find("ss -ltnp"), std::string::npos);
}

TEST_F(ListenerTest, ReplacesAStaleSocketAndRemovesItsOwn) {
    const auto path = dir_.path() + "/x.sock";
    {
        const auto first = open("unix://" + path);
        ASSERT_TRUE(first);
        struct stat found {};
        ASSERT_EQ(::stat(path.c_str(), &found), 0);
        EXPECT_EQ(found.st_mode & 0777U, 0600U);
        std::filesystem::create_hard_link(path, path + ".kept");
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    std::filesystem::rename(path + ".kept", path);  // as a killed daemon leaves it
    EXPECT_TRUE(open("unix://" + path));
}

TEST_F(ListenerTest, NeverTakesASocketFromSomebodyWhoServes) {
    const auto path = "unix://" + dir_.path() + "/x.sock";
    const auto first = open(path);
    ASSERT_TRUE(first);
    const auto second = open(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::conflict);
}

TEST_F(ListenerTest, LeavesAFileThatIsNoSocketAlone) {
    const auto path = dir_.path() + "/file";
    std::ofstream(path) << "mine";
    EXPECT_FALSE(open("unix://" + path));
    EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST_F(ListenerTest, RefusesAPathThatIsTooLong) {
    const auto listener = open("unix:///" + std::string(120, 'x'));
    ASSERT_FALSE(listener);
    EXPECT_NE(listener.error().message().find("longer than 107 bytes"), std::string::npos);
}

}  // namespace
}  // namespace routerd
