#pragma once

#include <string>
#include <vector>

#include "cmd/routerctl/terminal.hpp"
#include "common/config/paths.hpp"

namespace CLI {
class App;
}

namespace routerd::ctl {

/// `routerctl __complete WORD…`, for the shells: prints what the last word may become, one a line,
/// with a tab and a description where there is one. ":files" or ":folders" alone leaves it to the
/// shell. Names of models, profiles, keys and pulls are asked from the daemon, for 50 ms at the
/// most; nothing is said when it is down.
int complete(const CLI::App& root, std::vector<std::string> words, Terminal& terminal,
             const Environment& environment);

}  // namespace routerd::ctl
