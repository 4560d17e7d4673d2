#include "cmd/routerctl/output/format.hpp"

namespace routerd::ctl {

Format Format::parse(std::string_view text) {
    constexpr std::string_view table = "table ";
    if (text.empty() || text == "table") {
        return {};
    }
    Format format;
    if (text == "wide") {
        format.kind = Kind::wide;
    } else if (text == "json") {
        format.kind = Kind::json;
    } else {
        format.kind = Kind::words;
        format.with_heading = text.starts_with(table);
        format.words = text.substr(format.with_heading ? table.size() : 0);
    }
    return format;
}

}  // namespace routerd::ctl
