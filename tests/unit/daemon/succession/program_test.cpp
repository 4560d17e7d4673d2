#include "daemon/succession/program.hpp"

#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "daemon/net/wake_policy.hpp"
#include "daemon/succession/link.hpp"

namespace routerd::test {
namespace {

constexpr auto patience = std::chrono::seconds(20);

/// What the program says first on its link.
Result<Packet> first_word(const std::string& file, const std::string& script) {
    auto pair = Link::make_pair();
    if (!pair) {
        return pair.error();
    }
    const Program program{file, {"sh", "-c", script}};
    const auto started = start_successor(file, program, pair->second.get());
    if (!started) {
        return started.error();
    }
    pair->second.reset();
    return Link::receive_now(pair->first.get(), steady_now() + patience);
}

TEST(ProgramTest, StartsOneThatIsNotOurChildAndHasItsLinkAlone) {
    ASSERT_EQ(::setenv("WATCHDOG_PID", "1", 1), 0);
    const auto said = first_word("/bin/sh", R"sh(
        set -- /proc/$$/fd/*
        set -- "$PPID" "$ROUTERD_SUCCEEDS" "$WATCHDOG_PID" "$#"
        printf '{"parent":%s,"link":"%s","watchdog":"%s","files":%s}' "$@" >&3
    )sh");
    ::unsetenv("WATCHDOG_PID");
    ASSERT_TRUE(said) << said.error().message();
    EXPECT_NE(said->body.value("parent", 0), ::getpid());
    EXPECT_EQ(said->body.value("link", ""), "3");
    EXPECT_EQ(said->body.value("watchdog", "?"), "");
    EXPECT_EQ(said->body.value("files", 0), 5)
        << "standard streams, the link, and the folder in which the shell counts them";
}

TEST(ProgramTest, ASuccessorChoosesItsPolicyAnew) {
    std::thread([] {
        WakePolicy policy;
        policy.on_turn(steady_now());
        ASSERT_EQ(::sched_getscheduler(0), SCHED_BATCH);
        const auto said = first_word("/bin/sh", R"sh(
                printf '{"policy":%s}' "$(cut -d ' ' -f 41 /proc/$$/stat)" >&3
            )sh");
        ASSERT_TRUE(said) << said.error().message();
        EXPECT_EQ(said->body.value("policy", -1), SCHED_OTHER);
    }).join();
}

TEST(ProgramTest, SaysWhyAFileCannotBeRun) {
    const auto said = first_word("/nowhere/routerd", "");
    ASSERT_TRUE(said) << said.error().message();
    EXPECT_EQ(said->body.value("is", ""), "failed");
    EXPECT_EQ(said->body.value("errno", ""), "002");
}

TEST(ProgramTest, NoticesOneThatEndsWithoutAWord) {
    const auto said = first_word("/bin/sh", "exit 3");
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().code(), Errc::unavailable);
}

TEST(ProgramTest, TakesNoLinkThatIsNone) {
    EXPECT_FALSE(take_link());
    ASSERT_EQ(::setenv("ROUTERD_SUCCEEDS", "2", 1), 0);
    EXPECT_FALSE(take_link());
    EXPECT_EQ(std::getenv("ROUTERD_SUCCEEDS"), nullptr) << "it is not for those we start";
}

}  // namespace
}  // namespace routerd::test
