#include "cmd/routerctl/output/sheet.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>

#include "common/base/text.hpp"

namespace routerd::ctl {

void Sheet::add(std::string name, std::string value) {
    if (!value.empty()) {
        lines_.emplace_back(std::move(name), std::move(value));
    }
}

void Sheet::add_all(const std::string& name, const std::vector<std::string>& values) {
    for (const auto& value : values) {
        lines_.emplace_back(&value == &values.front() ? name : "", value);
    }
}

void Sheet::print(std::ostream& out) const {
    std::size_t widest = 0;
    for (const auto& line : lines_) {
        widest = std::max(widest, line.first.size());
    }
    for (const auto& [name, value] : lines_) {
        const auto label = name.empty() ? name : name + ":";
        out << label << std::string(widest + 3 - label.size(), ' ') << escaped(value) << '\n';
    }
}

}  // namespace routerd::ctl
