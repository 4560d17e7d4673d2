#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "cmd/routerctl/cli.hpp"
#include "common/base/unique_fd.hpp"
#include "tests/support/scripted_server.hpp"

namespace routerd::ctl {

/// What one run of routerctl left.
struct Outcome {
    int code = 0;
    std::string out;
    std::string err;
};

/// routerctl in this process against a scripted daemon. It is 2026-11-21T15:00:00Z.
class CtlTest : public testing::Test {
  protected:
    Outcome ctl(const std::vector<std::string>& arguments, const std::string& input = {}) {
        std::ostringstream out;
        std::ostringstream err;
        const UniqueFd in = filled(input);
        Terminal terminal{.out = out, .err = err, .in_fd = in.get()};
        terminal.in_is_tty = in_is_tty_;
        terminal.out_is_tty = out_is_tty_;
        terminal.err_is_tty = err_is_tty_;
        terminal.err_fd = err_fd_;
        Outcome outcome;
        outcome.code =
            run_cli(arguments, terminal, environment_, *parse_rfc3339("2026-11-21T15:00:00Z"));
        outcome.out = out.str();
        outcome.err = err.str();
        return outcome;
    }

    test::ScriptedServer daemon_;
    Environment environment_{{"ROUTERD_HOST", daemon_.host()}};
    bool in_is_tty_ = false;
    bool out_is_tty_ = false;
    bool err_is_tty_ = false;
    int err_fd_ = -1;  ///< whose size is asked for

  private:
    /// A pipe that holds `input` and then ends.
    static UniqueFd filled(const std::string& input) {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::pipe(ends), 0);
        const UniqueFd write_end(ends[1]);
        EXPECT_EQ(::write(write_end.get(), input.data(), input.size()),
                  static_cast<ssize_t>(input.size()));
        return UniqueFd(ends[0]);
    }
};

/// A file of the source tree.
inline std::string source_file(const std::string& path) {
    const std::ifstream file(std::string(ROUTERD_SOURCE_DIR) + "/" + path);
    EXPECT_TRUE(file.good()) << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Compares with tests/golden/routerctl/NAME; with UPDATE_GOLDEN in the environment writes it.
inline void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = "tests/golden/routerctl/" + name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
        std::ofstream(std::string(ROUTERD_SOURCE_DIR) + "/" + path) << text;
    }
    EXPECT_EQ(text, source_file(path)) << "to renew it: UPDATE_GOLDEN=1 " << path;
}

}  // namespace routerd::ctl
