#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cmd/routerctl/terminal.hpp"
#include "common/base/time.hpp"
#include "common/config/paths.hpp"

namespace CLI {
class App;
}

namespace routerd::ctl {

struct Invocation;

/// The whole command line of routerctl as a tree, which help, completion and the manual page read
/// too. `invocation` outlives it.
std::unique_ptr<CLI::App> make_cli(Invocation& invocation);

/// Runs one command line (`arguments` without the program's name) and gives the exit code. `now` is
/// what "4 minutes ago" counts from.
int run_cli(const std::vector<std::string>& arguments, Terminal& terminal,
            const Environment& environment, WallTime now);

}  // namespace routerd::ctl
