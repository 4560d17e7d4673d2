#include <array>
#include <chrono>
#include <csignal>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"
#include "daemon/store/instances.hpp"
#include "daemon/store/open.hpp"
#include "daemon/store/overrides.hpp"
#include "tests/support/temp_dir.hpp"

namespace routerd {
namespace {

/// Two overrides that are only ever written together.
std::vector<OverrideChange> pair_of(const std::string& id) {
    return {{.model = "m" + id, .key = "left", .value = id},
            {.model = "m" + id, .key = "right", .value = id}};
}

/// In the child: changes and acknowledges until it is killed.
[[noreturn]] void mutate(const std::string& path, int acknowledge) {
    auto opened = open_state_database(path);
    if (!opened || opened->report.moved_aside != "") {
        ::_exit(1);
    }
    InstanceRepository instances(opened->database);
    OverrideRepository overrides(opened->database);
    for (;;) {
        const auto id = instances.insert({});
        if (!id || !overrides.apply(pair_of(std::to_string(*id)))) {
            ::_exit(2);
        }
        if (::write(acknowledge, &*id, sizeof *id) != sizeof *id) {
            ::_exit(3);
        }
    }
}

class KillTest : public testing::Test {
  protected:
    /// Runs the child until it has acknowledged something, kills it in the middle of its work, and
    /// gives all that it acknowledged.
    std::vector<std::int64_t> run_and_kill() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        const UniqueFd in(ends[0]);
        UniqueFd out(ends[1]);
        const pid_t child = ::fork();
        if (child == 0) {
            mutate(path_, out.get());
        }
        out.reset();
        const auto enough = 1 + random_() % 40;
        const std::chrono::microseconds pause(random_() % 3000);
        std::vector<std::int64_t> acknowledged;
        std::int64_t id = 0;
        while (::read(in.get(), &id, sizeof id) == sizeof id) {
            acknowledged.push_back(id);
            if (acknowledged.size() == enough) {
                std::this_thread::sleep_for(pause);  // lint: allowed, a random moment of its work
                ::kill(child, SIGKILL);
            }
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status)) << "child ended by itself: " << status;
        return acknowledged;
    }

    /// Everything acknowledged is there, and nothing is there by half.
    void expect_kept(const std::vector<std::int64_t>& acknowledged) {
        auto opened = open_state_database(path_);
        ASSERT_TRUE(opened) << opened.error().message();
        EXPECT_EQ(opened->report.problem, "");
        const auto overrides = OverrideRepository(opened->database).load_all();
        ASSERT_TRUE(overrides);
        ASSERT_EQ(overrides->size() % 2, 0U);
        std::set<std::string> kept;
        for (std::size_t i = 0; i < overrides->size(); i += 2) {
            EXPECT_EQ(overrides->at(i).model, overrides->at(i + 1).model);
            kept.insert(overrides->at(i).model);
        }
        for (const auto id : acknowledged) {
            EXPECT_TRUE(kept.contains("m" + std::to_string(id))) << id;
        }
        EXPECT_GE(*InstanceRepository(opened->database).last_id(), acknowledged.back());
    }

    test::TempDir dir_;
    std::string path_ = dir_ / "state.db";
    std::mt19937 random_{42};
};

TEST_F(KillTest, NothingAcknowledgedIsLostAndNothingIsHalfDone) {
    std::vector<std::int64_t> acknowledged;
    for (int cycle = 0; cycle < 30; ++cycle) {
        const auto more = run_and_kill();
        ASSERT_FALSE(more.empty()) << "cycle " << cycle;
        if (!acknowledged.empty()) {
            ASSERT_GT(more.front(), acknowledged.back()) << "an id came back";
        }
        acknowledged.insert(acknowledged.end(), more.begin(), more.end());
        expect_kept(acknowledged);
        if (HasFailure()) {
            return;
        }
    }
}

}  // namespace
}  // namespace routerd
