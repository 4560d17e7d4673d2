#include "daemon/net/listener.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/descriptor_limit.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

/// `call`: connect() or bind().
template <class Call>
int at_path(Call call, const UniqueFd& socket, const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return call(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

/// Empty when nobody listens there.
UniqueFd connect_to(const std::string& path) {
    UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return at_path(::connect, client, path) == 0 ? std::move(client) : UniqueFd();
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

TEST_F(ListenerTest, LeavesSomeDescriptorsForThoseWhoCameBefore) {
    constexpr int left = 8;
    const auto path = dir_.path() + "/x.sock";
    auto listener = open("unix://" + path);
    ASSERT_TRUE(listener);
    const auto lowest = [] { return UniqueFd(::fcntl(0, F_DUPFD_CLOEXEC, 0)).get(); };
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 40; ++i) {
        clients.push_back(connect_to(path));
    }
    const auto most = std::max(lowest() + 30, 8 * left);
    const test::DescriptorLimit limit(static_cast<rlim_t>(most));
    listener->leave_descriptors(left);
    std::vector<UniqueFd> accepted;
    asio::co_spawn(loop_,
                   listener->run([&](UniqueFd socket) { accepted.push_back(std::move(socket)); }),
                   asio::detached);
    loop_.run_for(std::chrono::milliseconds(20));
    const auto before = accepted.size();
    EXPECT_LT(before, clients.size());
    EXPECT_EQ(lowest(), most - left + 1);
    accepted.clear();
    while (accepted.size() + before < clients.size() &&
           loop_.run_one_for(std::chrono::seconds(5)) > 0) {
    }
    EXPECT_EQ(accepted.size() + before, clients.size());
    listener->close();
    loop_.run();
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

TEST_F(ListenerTest, NeverTakesASocketWhoseOwnerIsTooBusyToAccept) {
    const auto path = dir_.path() + "/x.sock";
    const auto first = open("unix://" + path);
    ASSERT_TRUE(first);
    std::vector<UniqueFd> waiting;
    do {  // until no more fit into its queue
        waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    } while (at_path(::connect, waiting.back(), path) == 0);
    const auto second = open("unix://" + path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::conflict);
}

TEST_F(ListenerTest, NeverTakesASocketOfAnotherKind) {
    const auto path = dir_.path() + "/x.sock";
    const UniqueFd other(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    ASSERT_EQ(at_path(::bind, other, path), 0);
    ASSERT_EQ(::listen(other.get(), 1), 0);
    EXPECT_FALSE(open("unix://" + path));
    EXPECT_TRUE(std::filesystem::exists(path));
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
