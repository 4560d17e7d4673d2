#include "cmd/routerctl/output/style.hpp"

namespace routerd::ctl {
namespace {

std::string_view code_of(Style style) noexcept {
    switch (style) {
        case Style::good:
            return "\x1b[32m";
        case Style::busy:
            return "\x1b[33m";
        case Style::bad:
            return "\x1b[31m";
        case Style::dim:
            return "\x1b[2m";
        case Style::bold:
            return "\x1b[1m";
        case Style::plain:
            return {};
    }
    return {};
}

}  // namespace

std::string Palette::paint(std::string_view text, Style style) const {
    if (!on_ || style == Style::plain) {
        return std::string(text);
    }
    return std::string(code_of(style)).append(text).append("\x1b[0m");
}

Style style_of_state(std::string_view state) noexcept {
    if (state == "ready" || state == "running" || state == "ok" || state == "complete") {
        return Style::good;
    }
    if (state == "crashed" || state == "failed") {
        return Style::bad;
    }
    if (state == "off" || state == "paused") {
        return Style::dim;
    }
    return Style::busy;
}

}  // namespace routerd::ctl
