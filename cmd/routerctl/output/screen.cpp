#include "cmd/routerctl/output/screen.hpp"

#include <algorithm>
#include <ostream>

#include <sys/ioctl.h>

namespace routerd::ctl {
namespace {

constexpr std::string_view to_line_end = "\x1b[K";  // erases from the cursor on
constexpr std::string_view to_screen_end = "\x1b[J";

}  // namespace

TerminalSize size_of_terminal(int fd) noexcept {
    winsize size{};
    if (fd < 0 || ::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        return {};
    }
    return {.width = size.ws_col, .rows = size.ws_row};
}

void Screen::go_up(std::size_t width) {
    std::size_t rows = 0;
    for (const auto columns : drawn_) {
        rows += std::max<std::size_t>(1, (columns + width - 1) / std::max<std::size_t>(width, 1));
    }
    out_ << '\r';
    if (rows != 0) {
        out_ << "\x1b[" << rows << 'A';
    }
    drawn_.clear();
}

void Screen::draw(const std::vector<ScreenLine>& lines, std::size_t width) {
    go_up(width);
    for (const auto& line : lines) {
        out_ << line.text << to_line_end << '\n';  // over the old line: erasing it first flickers
        drawn_.push_back(line.columns);
    }
    out_ << to_screen_end << std::flush;
}

void Screen::say(std::string_view text, std::size_t width) {
    go_up(width);
    out_ << to_screen_end << text << '\n' << std::flush;
}

void Screen::leave() {
    drawn_.clear();
    out_ << '\r' << to_line_end << std::flush;
}

}  // namespace routerd::ctl
