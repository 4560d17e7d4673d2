#include "daemon/process/identity.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"
#include "daemon/process/child.hpp"
#include "daemon/process/listening.hpp"

namespace routerd {
namespace {

TEST(IdentityTest, KnowsAProcessAgain) {
    const auto self = identity_of(::getpid());
    ASSERT_TRUE(self);
    EXPECT_GT(self->start_ticks, 0U);
    EXPECT_EQ(self->boot_id.size(), 36U);
    EXPECT_TRUE(is_alive(*self));
    auto another = *self;
    ++another.start_ticks;
    EXPECT_FALSE(is_alive(another));
    EXPECT_GT(resident_bytes(::getpid()), 1U << 20U);
}

TEST(IdentityTest, HasNothingToSayOfNobody) {
    EXPECT_EQ(identity_of(0).error().code(), Errc::not_found);
    EXPECT_EQ(resident_bytes(0), 0U);
}

TEST(IdentityTest, FindsProcessesByWhatTheyWereStartedWith) {
    const auto name = "ROUTERD_TEST_MARK_" + std::to_string(::getpid());
    Child::Program program;
    program.argv = {"/bin/sleep", "60"};
    program.log_fd = STDERR_FILENO;
    program.environment = {"PATH=/bin", name + "=one", "MORE=two"};
    const auto one = Child::spawn(program);
    program.environment = {name + "=one and more"};
    const auto more = Child::spawn(program);
    ASSERT_TRUE(one && more);
    while (processes_with_environment(name + "=one and more").empty() ||
           processes_with_environment(name + "=one").empty()) {
        // The environment shows a moment after the start.
    }
    const auto found = processes_started_with(name + "=one");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().process, one->identity());
    EXPECT_EQ(environment_value(found.front().environment, "MORE"), "two");
    EXPECT_TRUE(processes_started_with(name + "=two").empty());
}

TEST(IdentityTest, ReadsAnEnvironment) {
    constexpr std::string_view text("A=1\0AB=2=3\0C\0", 13);
    EXPECT_EQ(environment_value(text, "A"), "1");
    EXPECT_EQ(environment_value(text, "AB"), "2=3");
    EXPECT_EQ(environment_value(text, "C"), "");
    EXPECT_EQ(environment_value(text, "D"), "");
}

TEST(ListeningTest, KnowsWhoseAPortIs) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(fd.get(), raw, size), 0);
    ASSERT_EQ(::getsockname(fd.get(), raw, &size), 0);
    const auto port = ntohs(address.sin_port);
    EXPECT_FALSE(only_listener_is(::getpid(), port));
    ASSERT_EQ(::listen(fd.get(), 1), 0);
    EXPECT_TRUE(only_listener_is(::getpid(), port));
    EXPECT_FALSE(only_listener_is(::getppid(), port));
}

}  // namespace
}  // namespace routerd
