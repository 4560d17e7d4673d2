#include "cmd/routerctl/output/table.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>

#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

bool begins_character(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string shown(const Cell& cell) {
    return cell.text.empty() ? "-" : escaped(cell.text);
}

}  // namespace

std::string shortened(const std::string& text, std::size_t limit) {
    if (width(text) <= limit) {
        return text;
    }
    std::size_t characters = 0;
    std::size_t end = 0;
    while (end < text.size()) {
        if (begins_character(text[end]) && ++characters == limit) {
            break;
        }
        ++end;
    }
    return text.substr(0, end) + "…";
}

void Table::print(std::ostream& out, const Palette& colors) const {
    std::vector<std::size_t> widths;
    for (std::size_t column = 0; column < headings_.size(); ++column) {
        std::size_t widest = width(headings_[column]);
        for (const auto& row : rows_) {
            widest = std::max(widest, width(shown(row[column])));
        }
        widths.push_back(widest);
    }
    const auto print_row = [&](const auto& cell_at) {
        for (std::size_t column = 0; column < widths.size(); ++column) {
            const Cell cell = cell_at(column);
            const auto text = shown(cell);
            out << colors.paint(text, cell.style);
            if (column + 1 < widths.size()) {
                out << std::string(widths[column] - width(text) + 2, ' ');
            }
        }
        out << '\n';
    };
    if (!headings_.empty()) {
        print_row([this](std::size_t column) { return Cell(headings_[column]); });
    }
    for (const auto& row : rows_) {
        print_row([&row](std::size_t column) { return row[column]; });
    }
}

}  // namespace routerd::ctl
