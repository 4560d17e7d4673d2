#include <exception>
#include <iostream>

#include <unistd.h>

#include "cmd/routerctl/cli.hpp"
#include "cmd/routerctl/exit_code.hpp"

int main(int argc, char** argv) {
    using namespace routerd;
    std::ios::sync_with_stdio(false);
    ctl::Terminal terminal{.out = std::cout,
                           .err = std::cerr,
                           .in_fd = STDIN_FILENO,
                           .err_fd = STDERR_FILENO,
                           .in_is_tty = ::isatty(STDIN_FILENO) == 1,
                           .out_is_tty = ::isatty(STDOUT_FILENO) == 1,
                           .err_is_tty = ::isatty(STDERR_FILENO) == 1};
    try {
        return ctl::run_cli({argv + 1, argv + argc}, terminal, process_environment(),
                            std::chrono::system_clock::now());
    } catch (const std::exception& error) {
        std::cerr << "routerctl: internal error: " << error.what() << '\n';
        return ctl::exit_error;
    }
}
