#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cmd/routerctl/output/style.hpp"

namespace routerd::ctl {

/// One cell; an empty text is shown as "-", so that every row has as many words for awk. Any text
/// is one.
struct Cell {
    // NOLINTNEXTLINE(google-explicit-constructor)
    Cell(std::string words, Style look = Style::plain) : text(std::move(words)), style(look) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Cell(const char* words) : text(words) {}

    std::string text;
    Style style = Style::plain;
};

/// Rows under upper-case headings, two spaces between columns, no borders. Foreign text is made
/// safe for a terminal.
class Table {
  public:
    explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    void print(std::ostream& out, const Palette& colors) const;

  private:
    std::vector<std::string> headings_;
    std::vector<std::vector<Cell>> rows_;
};

/// At most `limit` characters, the last of them "…" when something is left out.
std::string shortened(const std::string& text, std::size_t limit);

}  // namespace routerd::ctl
