#pragma once

#include <string>

namespace CLI {
class App;
}

namespace routerd::ctl {

/// man/routerctl.1 in roff, from the tree of commands: `routerctl __man`. A test fails when the
/// file is not what this gives.
std::string manual_page(const CLI::App& root);

}  // namespace routerd::ctl
