#include "cmd/routerctl/context.hpp"

#include <ostream>

#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

/// Foreign text for a terminal, line by line.
std::string safe_lines(const std::string& text) {
    std::vector<std::string> lines;
    for (const auto line : split(text, '\n')) {
        lines.push_back(escaped(line));
    }
    return join(lines, "\n");
}

}  // namespace

void print_error(std::ostream& err, const Error& error) {
    err << "routerctl: " << safe_lines(error.message()) << '\n';
    if (!error.hint().empty()) {
        err << "hint: " << safe_lines(error.hint()) << '\n';
    }
}

void Context::note(std::string_view text) const {
    terminal.err << "routerctl: " << escaped(text) << '\n' << std::flush;
}

int Context::fail(const Error& error) const {
    terminal.out << std::flush;
    print_error(terminal.err, error);
    return exit_code(error.code());
}

int Context::end_of_stream(const Error& error) const {
    return error.code() == Errc::cancelled ? static_cast<int>(exit_interrupted) : fail(error);
}

int worst(int so_far, int next) noexcept {
    return so_far != exit_ok ? so_far : next;
}

}  // namespace routerd::ctl
