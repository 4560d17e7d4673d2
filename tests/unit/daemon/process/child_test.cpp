#include "daemon/process/child.hpp"

#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/wait.h>

#include "daemon/net/wake_policy.hpp"
#include "daemon/process/environment.hpp"
#include "tests/support/coroutine.hpp"
#include "tests/support/descriptor_limit.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd::test {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;

class ChildTest : public testing::Test {
  protected:
    ChildTest()
        : log_(::open((dir_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

    Result<Child> spawn(std::vector<std::string> argv) {
        Child::Program program;
        program.argv = std::move(argv);
        program.environment = {"PATH=/usr/bin:/bin", "COLOUR=blue"};
        program.log_fd = log_.get();
        return Child::spawn(program);
    }

    /// Runs a shell's script to its end.
    ExitStatus run_script(const std::string& script) {
        auto child = spawn({"/bin/sh", "-c", script});
        EXPECT_TRUE(child);
        return end_of(*child);
    }

    static ExitStatus end_of(Child& child) {
        ExitStatus status;
        run(wait(child, status));
        return status;
    }

    static asio::awaitable<void> wait(Child& child, ExitStatus& status) {
        const auto ended = co_await child.wait();
        EXPECT_TRUE(ended);
        status = *ended;
    }

    std::string log() const { return read_file(dir_ / "log"); }

    TempDir dir_;
    UniqueFd log_;
};

TEST_F(ChildTest, TellsHowItEnded) {
    EXPECT_EQ(run_script("exit 0").code, 0);
    EXPECT_EQ(to_string(run_script("exit 3")), "exit status 3");
    EXPECT_EQ(to_string(run_script("kill -SEGV $$")), "killed by SIGSEGV");
}

TEST_F(ChildTest, WritesBothItsOutputsToTheLog) {
    run_script("echo out; echo err >&2");
    EXPECT_EQ(log(), "out\nerr\n");
}

TEST_F(ChildTest, InheritsNothingButWhatItIsGiven) {
    const int leaked = ::open("/dev/null", O_RDONLY);  // without CLOEXEC, as Asio's sockets
    ::signal(SIGPIPE, SIG_IGN);
    run_script("ls /proc/self/fd | wc -l; cat; env; grep SigIgn /proc/self/status");
    ::signal(SIGPIPE, SIG_DFL);
    ::close(leaked);
    EXPECT_THAT(log(), testing::StartsWith("4\n"));  // 0, 1, 2 and that of ls itself
    EXPECT_THAT(log(), HasSubstr("COLOUR=blue"));
    EXPECT_THAT(log(), testing::Not(HasSubstr("HOME=")));
    // glibc itself leaves 32 and 33 ignored, which it keeps for threads.
    EXPECT_THAT(log(), testing::ContainsRegex("SigIgn:\t[0-9a-f]+0000000\n"));
}

TEST_F(ChildTest, InterruptsOthersAsIsUsualThoughTheLoopThatStartsItDoesNot) {
    std::thread([this] {
        WakePolicy policy;
        policy.on_turn(steady_now());
        ASSERT_EQ(::sched_getscheduler(0), SCHED_BATCH);
        run_script("cut -d ' ' -f 41 /proc/self/stat");
    }).join();
    EXPECT_EQ(log(), std::to_string(SCHED_OTHER) + "\n");
}

TEST_F(ChildTest, LeadsASessionAndDumpsNoCore) {
    auto child = spawn({"/bin/sleep", "60"});
    ASSERT_TRUE(child);
    EXPECT_EQ(::getsid(child->pid()), child->pid());
    const auto limits = read_file("/proc/" + std::to_string(child->pid()) + "/limits");
    EXPECT_THAT(limits, testing::ContainsRegex("Max core file size +0 +0"));
}

TEST_F(ChildTest, SignalsItsWholeGroupOnce) {
    auto child =
        spawn({"/bin/sh", "-c", "trap 'echo got' TERM; echo up; while :; do read x; done"});
    ASSERT_TRUE(child);
    while (log().empty()) {
    }
    child->signal(SIGTERM);
    while (log() == "up\n") {
    }
    child->signal(SIGKILL);
    EXPECT_EQ(end_of(*child).signal, SIGKILL);
    EXPECT_EQ(log(), "up\ngot\n");
}

TEST_F(ChildTest, KillsWhatIsLeftOfItsGroupWhenTheLeaderEnds) {
    run_script("sleep 60 & echo $!");
    const auto left = identity_of(std::stoi(log()));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (left && is_alive(*left) && std::chrono::steady_clock::now() < deadline) {
        // SIGKILL takes a moment
    }
    EXPECT_FALSE(left && is_alive(*left));
}

/// Two descriptors are ready at once, and the handler of the first closes the second and waits for
/// a child: Asio may hand the second one's event to the wait (its state is used again). The child
/// that lives must not be taken for dead then.
TEST_F(ChildTest, IsNotEndedByAnEventMeantForAnotherDescriptor) {
    asio::io_context loop(1);
    auto child = spawn({"/bin/sleep", "60"});
    ASSERT_TRUE(child);
    int pipes[2][2];
    ASSERT_EQ(::pipe(pipes[0]) + ::pipe(pipes[1]), 0);
    asio::posix::stream_descriptor first(loop, pipes[0][0]);
    asio::posix::stream_descriptor second(loop, pipes[1][0]);
    bool has_ended = false;
    const auto wait_read = asio::posix::descriptor_base::wait_read;
    const auto on_ready = [&](const boost::system::error_code& error) {
        if (error) {
            return;
        }
        first.close();
        second.close();
        asio::co_spawn(loop, child->wait(),
                       [&](std::exception_ptr, Result<ExitStatus>) { has_ended = true; });
    };
    first.async_wait(wait_read, on_ready);
    second.async_wait(wait_read, on_ready);
    EXPECT_EQ(::write(pipes[0][1], "x", 1) + ::write(pipes[1][1], "x", 1), 2);
    loop.run_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(has_ended);
    EXPECT_TRUE(is_alive(child->identity()));
    ::kill(child->pid(), SIGTERM);
    loop.run_for(std::chrono::seconds(5));
    EXPECT_TRUE(has_ended);
    ::close(pipes[0][1]);
    ::close(pipes[1][1]);
}

TEST_F(ChildTest, IsKilledByItsDestructorAndLetGoByRelease) {
    std::optional<ProcessIdentity> killed;
    std::optional<ProcessIdentity> released;
    {
        auto one = spawn({"/bin/sleep", "60"});
        auto other = spawn({"/bin/sleep", "60"});
        ASSERT_TRUE(one && other);
        killed = one->identity();
        released = other->identity();
        other->release();
    }
    EXPECT_FALSE(is_alive(*killed));
    EXPECT_TRUE(is_alive(*released));
    EXPECT_EQ(kill_processes({*released}), 1U);
}

TEST_F(ChildTest, IsWaitedForThoughThereIsNoDescriptorLeft) {
    auto child = spawn({"/bin/sh", "-c", "exit 3"});
    ASSERT_TRUE(child);
    asio::io_context loop(1);
    const asio::steady_timer timer(loop);  // so that the loop has its own
    ExitStatus status;
    const DescriptorLimit none(3);
    run(loop, wait(*child, status));
    EXPECT_EQ(status.code, 3);
}

TEST_F(ChildTest, IsNotReapedBehindTheBackOfWhoGotIt) {
    auto child = spawn({"/bin/sleep", "60"});
    ASSERT_TRUE(child);
    const auto pid = child->pid();
    run([](Child& given) -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        asio::post(executor, [&given] {
            given.release();
            ::kill(given.pid(), SIGKILL);
        });
        const auto ended = co_await given.wait();
        EXPECT_FALSE(ended);
    }(*child));
    EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(ChildTest, IsTakenOverOnlyWhenItIsTheVerySameProcess) {
    auto child = spawn({"/bin/sleep", "60"});
    ASSERT_TRUE(child);
    auto identity = child->identity();
    auto adopted = Child::adopt(identity);
    ASSERT_TRUE(adopted);
    EXPECT_TRUE(adopted->adopted());
    adopted->signal(SIGTERM);
    EXPECT_EQ(end_of(*child).signal, SIGTERM);
    EXPECT_FALSE(end_of(*adopted).code);

    EXPECT_EQ(Child::adopt(identity).error().code(), Errc::not_found);
    auto another = spawn({"/bin/sleep", "60"});
    identity = another->identity();
    ++identity.start_ticks;
    EXPECT_FALSE(Child::adopt(identity));
    identity = another->identity();
    identity.boot_id = "another boot";
    EXPECT_FALSE(Child::adopt(identity));
}

TEST_F(ChildTest, SaysWhatKeepsAProgramFromStarting) {
    const auto plain = dir_.write("plain", "#!/no/such/interpreter\n");
    EXPECT_THAT(spawn({dir_ / "missing"}).error().message(), HasSubstr("No such file"));
    EXPECT_THAT(spawn({plain}).error().message(), HasSubstr("is not executable"));
    EXPECT_THAT(spawn({dir_.path()}).error().message(), HasSubstr("it is a folder"));
    std::filesystem::permissions(plain, std::filesystem::perms::owner_all);
    EXPECT_THAT(spawn({plain}).error().message(), HasSubstr("loader or interpreter"));
    std::ofstream(plain) << "\x7f"
                            "ELF of another world";
    EXPECT_THAT(spawn({plain}).error().message(), HasSubstr("not a program for this machine"));
    EXPECT_EQ(spawn({plain}).error().code(), Errc::load_failed);
}

TEST(EnvironmentTest, PassesOnWhatServersNeedAndNoSecrets) {
    ::setenv("HF_TOKEN", "secret", 1);         // NOLINT(concurrency-mt-unsafe): one thread
    ::setenv("LLAMA_ARG_PORT", "1", 1);        // NOLINT(concurrency-mt-unsafe)
    ::setenv("CUDA_VISIBLE_DEVICES", "0", 1);  // NOLINT(concurrency-mt-unsafe)
    const auto entries = server_environment({{"CUDA_VISIBLE_DEVICES", "1"}, {"X", "y"}});
    EXPECT_THAT(entries, testing::Contains("CUDA_VISIBLE_DEVICES=1"));
    EXPECT_THAT(entries, testing::Contains("X=y"));
    EXPECT_THAT(entries, testing::Contains(testing::StartsWith("PATH=")));
    EXPECT_THAT(entries, testing::Not(testing::Contains(testing::StartsWith("HF_TOKEN="))));
    EXPECT_THAT(entries, testing::Not(testing::Contains(testing::StartsWith("LLAMA_ARG_"))));
}

}  // namespace
}  // namespace routerd::test
