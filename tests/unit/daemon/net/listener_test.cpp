#include "daemon/net/listener.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

/// Empty when nobody listens there.
UniqueFd connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto* to = reinterpret_cast<const sockaddr*>(&address);
    return ::connect(client.get(), to, sizeof(address)) == 0 ? std::move(client) : UniqueFd();
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

TEST_F(ListenerTest, AcceptsThoseWhoHaveConnectedBeforeItRetires) {
    auto listener = open("unix://" + dir_.path() + "/x.sock");
    ASSERT_TRUE(listener);
    const auto client = connect_to(dir_.path() + "/x.sock");
    ASSERT_TRUE(client);
    int accepted = 0;
    bool has_ended = false;
    asio::co_spawn(loop_, listener->run([&accepted](const UniqueFd&) { ++accepted; }),
                   [&has_ended](const std::exception_ptr&) { has_ended = true; });
    asio::post(loop_, [&listener] { listener->retire(); });
    loop_.run();
    EXPECT_TRUE(has_ended);
    EXPECT_EQ(accepted, 1);
    EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/x.sock"));
}

TEST_F(ListenerTest, GivesASocketUpThatListensOn) {
    const auto path = dir_.path() + "/x.sock";
    HandedOver released;
    {
        auto first = open("unix://" + path);
        ASSERT_TRUE(first);
        released = first->release();
    }
    const auto client = connect_to(path);
    EXPECT_TRUE(client) << "its file is gone, or nobody listens";
    EXPECT_TRUE(released.owns_file);
    EXPECT_EQ(released.asked, *parse_listen_address("unix://" + path));
    { auto second = Listener::adopt(io_, std::move(released)); }
    EXPECT_FALSE(std::filesystem::exists(path)) << "the next owner removes it";
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

/// Starts at descriptor 3, as a service manager hands over; puts back what was there.
class HandedOverTest : public ListenerTest {
  protected:
    HandedOverTest() : before_(::fcntl(3, F_DUPFD_CLOEXEC, 100)) {}
    ~HandedOverTest() override {
        if (before_) {
            ::dup2(before_.get(), 3);
        } else {
            ::close(3);
        }
    }

    void hand_over(int fd, const char* name, pid_t to = ::getpid()) {
        ASSERT_EQ(::dup2(fd, 3), 3);
        ::setenv("LISTEN_PID", std::to_string(to).c_str(), 1);
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_FDNAMES", name, 1);
    }

    static UniqueFd bound(const std::string& path) {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        return fd;
    }

  private:
    UniqueFd before_;
};

TEST_F(HandedOverTest, TakesAListeningSocketAndLeavesItsFile) {
    const auto path = dir_.path() + "/x.sock";
    const auto socket = bound(path);
    ASSERT_EQ(::listen(socket.get(), 8), 0);
    hand_over(socket.get(), "control");
    auto handed = take_handed_over();
    ASSERT_TRUE(handed) << handed.error().message();
    ASSERT_EQ(handed->size(), 1U);
    EXPECT_EQ(handed->front().name, "control");
    EXPECT_EQ(handed->front().address.text(), "unix://" + path);
    EXPECT_EQ(handed->front().socket.get(), 3);
    EXPECT_NE(::fcntl(3, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
    EXPECT_TRUE(take_handed_over()->empty());
    {
        const auto listener = Listener::adopt(io_, std::move(handed->front()));
        EXPECT_NE(::fcntl(3, F_GETFL) & O_NONBLOCK, 0);
    }
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(HandedOverTest, KnowsAddressesAndTls) {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::listen(socket.get(), 8), 0);  // the kernel chooses the port, on all addresses
    hand_over(socket.get(), "https");
    const auto handed = take_handed_over();
    ASSERT_TRUE(handed) << handed.error().message();
    const auto& address = handed->front().address;
    EXPECT_EQ(address.host, "0.0.0.0");
    EXPECT_GT(address.port, 0);
    EXPECT_TRUE(address.tls);
    EXPECT_FALSE(address.is_loopback());
}

TEST_F(HandedOverTest, LeavesAloneWhatIsForAnotherProcess) {
    const auto socket = bound(dir_.path() + "/x.sock");
    ASSERT_EQ(::listen(socket.get(), 8), 0);
    hand_over(socket.get(), "http", ::getppid());
    EXPECT_TRUE(take_handed_over()->empty());
    EXPECT_EQ(::fcntl(3, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(HandedOverTest, RefusesWhatDoesNotListen) {
    const auto socket = bound(dir_.path() + "/x.sock");
    hand_over(socket.get(), "http");
    const auto handed = take_handed_over();
    ASSERT_FALSE(handed);
    EXPECT_NE(handed.error().message().find("'http'"), std::string::npos);
    EXPECT_NE(handed.error().hint().find("ListenStream="), std::string::npos);
}

}  // namespace
}  // namespace routerd
