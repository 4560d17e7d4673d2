#pragma once

#include <cstddef>
#include <iosfwd>
#include <string_view>
#include <vector>

#include "cmd/routerctl/output/progress.hpp"

namespace routerd::ctl {

/// The size of the terminal at `fd`; 80 by 24 where it has none to tell.
struct TerminalSize {
    std::size_t width = 80;
    std::size_t rows = 24;
};
TerminalSize size_of_terminal(int fd) noexcept;

/// Lines at the bottom of a terminal that are drawn over and over in their place. The cursor stands
/// on the line below them. Nothing is hidden, so there is nothing to bring back; what was drawn
/// last stays when this ends.
class Screen {
  public:
    explicit Screen(std::ostream& out) noexcept : out_(out) {}

    /// Replaces what was drawn before. `width`: of the terminal now; a line of before that was
    /// wider has been wrapped by it since.
    void draw(const std::vector<ScreenLine>& lines, std::size_t width);

    /// Writes a line of text above what is drawn, which the next draw() brings back. `text` is safe
    /// for a terminal.
    void say(std::string_view text, std::size_t width);

    /// Leaves what is drawn where it is: the next draw() begins below it. Clears what the terminal
    /// echoed there, such as ^C.
    void leave();

  private:
    /// To where the drawn lines begin.
    void go_up(std::size_t width);

    std::ostream& out_;
    std::vector<std::size_t> drawn_;  // the columns of each line
};

}  // namespace routerd::ctl
