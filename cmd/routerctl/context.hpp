#pragma once

#include <string>
#include <string_view>

#include "cmd/routerctl/exit_code.hpp"
#include "cmd/routerctl/interrupt.hpp"
#include "cmd/routerctl/output/format.hpp"
#include "cmd/routerctl/output/style.hpp"
#include "cmd/routerctl/terminal.hpp"
#include "common/base/time.hpp"
#include "common/client/client.hpp"
#include "common/config/paths.hpp"

namespace routerd::ctl {

/// Everything a command needs to run: whom to ask, where and how to print. Made once, by cli.cpp,
/// after the command line is understood.
struct Context {
    Terminal& terminal;
    client::Client client;
    Interrupt& interrupt;
    Format format;
    Palette colors;      ///< of stdout
    Palette err_colors;  ///< of stderr
    bool no_trunc = false;
    WallTime now;
    Environment environment;

    std::ostream& out() const noexcept { return terminal.out; }

    /// A note for people, on stderr: "routerctl: …".
    void note(std::string_view text) const;

    /// Reports `error` on stderr with its hint, and gives the exit code it stands for.
    int fail(const Error& error) const;

    /// The same for something that is followed until Ctrl-C, which is no failure to report.
    int end_of_stream(const Error& error) const;
};

/// "routerctl: no model 'x'" and "hint: …".
void print_error(std::ostream& err, const Error& error);

/// The exit code of several steps: the first that is not exit_ok.
int worst(int so_far, int next) noexcept;

}  // namespace routerd::ctl
