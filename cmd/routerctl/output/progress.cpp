#include "cmd/routerctl/output/progress.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "cmd/routerctl/output/columns.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

constexpr std::size_t gap = 2;            // between columns
constexpr std::size_t percent_width = 4;  // "100%"
constexpr std::size_t least_bar = 8;
constexpr std::size_t widest_bar = 40;
constexpr std::size_t least_name = 12;
constexpr std::size_t rate_width = 10;    // "1000 MiB/s"; a column that does not jump
constexpr std::size_t rest_width = 9;     // "verifying"
constexpr std::size_t amount_width = 17;  // "1000 MiB/1000 GiB"

/// What one bar is about, as text.
struct BarRow {
    std::string name;
    std::optional<std::uint64_t> size;
    std::uint64_t done = 0;
    std::string amount;
    std::string rate;
    std::string rest;  ///< how long it still takes, or how it stands
    Style style = Style::plain;
};

/// Which columns there are room for, and how wide those are that stretch.
struct BarShape {
    std::size_t name = 0;
    std::size_t bar = 0;     ///< 0: none
    std::size_t amount = 0;  ///< 0: none
    bool rate = false;
    bool rest = false;
};

std::string padded(const std::string& text, std::size_t columns) {
    return text + std::string(columns - std::min(columns, columns_of(text)), ' ');
}

std::string padded_left(const std::string& text, std::size_t columns) {
    return std::string(columns - std::min(columns, columns_of(text)), ' ') + text;
}

std::string amount_of(std::uint64_t done, std::optional<std::uint64_t> size) {
    return format_bytes(done) + (size ? "/" + format_bytes(*size) : "");
}

std::string speed_of(std::uint64_t rate) {
    return rate == 0 ? "" : format_bytes(rate) + "/s";
}

Style style_of_pull(const std::string& state) {
    return state == "downloading" || state == "verifying" || state == "waiting"
               ? Style::plain
               : style_of_state(state);
}

/// The state, where it says more than the figures do.
std::string word_of(const std::string& state) {
    return state == "downloading" ? "" : state == "complete" ? "done" : state;
}

BarRow row_of(const api::PullFile& file, bool utf8) {
    BarRow row{.name = for_terminal(file.name, utf8),
               .size = file.size,
               .done = file.done,
               .amount = amount_of(file.done, file.size),
               .rate = file.state == "downloading" ? speed_of(file.rate) : "",
               .rest = for_terminal(word_of(file.state), utf8),
               .style = style_of_pull(file.state)};
    if (row.rest.empty() && file.size && file.rate != 0) {
        row.rest = format_eta((std::max(*file.size, file.done) - file.done) / file.rate);
    }
    return row;
}

BarRow row_of(const api::Pull& pull, std::string name, bool utf8) {
    BarRow row{.name = std::move(name),
               .size = pull.size,
               .done = pull.done,
               .amount = amount_of(pull.done, pull.size),
               .rate = pull.state == "downloading" ? speed_of(pull.rate) : "",
               .rest = for_terminal(word_of(pull.state), utf8),
               .style = style_of_pull(pull.state)};
    if (row.rest.empty() && pull.eta_seconds) {
        row.rest = format_eta(*pull.eta_seconds);
    }
    return row;
}

/// The files that there is room for: those that move first, in their order.
std::vector<BarRow> file_rows(const api::Pull& pull, std::size_t most, bool utf8) {
    constexpr std::array<std::string_view, 4> order{"downloading", "verifying", "waiting",
                                                    "complete"};
    const auto rank = [&order](const api::PullFile* file) {
        return std::find(order.begin(), order.end(), file->state) - order.begin();
    };
    std::vector<const api::PullFile*> files;
    for (const auto& file : pull.files) {
        files.push_back(&file);
    }
    if (files.size() > most) {
        std::stable_sort(files.begin(), files.end(),
                         [&rank](const auto* a, const auto* b) { return rank(a) < rank(b); });
        files.resize(most);
        std::sort(files.begin(), files.end());  // all of one vector: back in its order
    }
    std::vector<BarRow> rows;
    for (const auto* file : files) {
        rows.push_back(row_of(*file, utf8));
    }
    return rows;
}

/// Leaves out figures until a name and a bar have room.
BarShape shape_for(const std::vector<BarRow>& rows, std::size_t width) {
    std::size_t widest_name = 0;
    std::size_t widest_amount = amount_width;
    for (const auto& row : rows) {
        widest_name = std::max(widest_name, columns_of(row.name));
        widest_amount = std::max(widest_amount, columns_of(row.amount));
    }
    const std::array<BarShape, 5> choices{
        {{.bar = 1, .amount = widest_amount, .rate = true, .rest = true},
         {.bar = 1, .rate = true, .rest = true},
         {.bar = 1, .rest = true},
         {.bar = 1},
         {}}};
    for (auto shape : choices) {
        const auto fixed = gap + percent_width + (shape.bar != 0 ? gap : 0) +
                           (shape.amount != 0 ? gap + shape.amount : 0) +
                           (shape.rate ? gap + rate_width : 0) +
                           (shape.rest ? gap + rest_width : 0);
        const auto bar = shape.bar != 0 ? least_bar : 0;
        if (width < fixed + bar + std::min(widest_name, least_name) && shape.bar != 0) {
            continue;
        }
        const auto room = width - std::min(width, fixed);
        if (shape.bar != 0) {
            shape.bar = std::clamp(room - std::min(room, widest_name), least_bar, widest_bar);
        }
        shape.name = std::min(widest_name, room - std::min(room, shape.bar));
        return shape;
    }
    return {};
}

std::string bar_of(const BarRow& row, std::size_t width, const Look& look) {
    const auto size = row.size.value_or(0);
    const auto ratio =
        size == 0 ? (row.rest == "done" ? 1.0 : 0.0)
                  : static_cast<double>(std::min(row.done, size)) / static_cast<double>(size);
    const auto full = static_cast<std::size_t>(ratio * static_cast<double>(width));
    std::string done;
    std::string left;
    for (std::size_t i = 0; i < width; ++i) {
        (i < full ? done : left) += look.utf8 ? (i < full ? "█" : "░") : (i < full ? "#" : ".");
    }
    return look.colors.paint(done, row.style) + look.colors.paint(left, Style::dim);
}

ScreenLine line_of(const BarRow& row, const BarShape& shape, std::size_t width, const Look& look) {
    const auto percent = row.size ? std::to_string(percent_of(row.done, *row.size)) + "%" : "";
    const auto name = padded(shortened_in_the_middle(row.name, shape.name, look.utf8), shape.name);
    const std::string space(gap, ' ');
    const auto before = (shape.name != 0 ? name + space : "") + padded_left(percent, percent_width);
    std::string after;
    after += shape.amount != 0 ? space + padded_left(row.amount, shape.amount) : "";
    after += shape.rate ? space + padded_left(row.rate, rate_width) : "";
    after += shape.rest ? space + std::string(first_columns(row.rest, rest_width)) : "";
    after.resize(after.find_last_not_of(' ') + 1);
    ScreenLine line;
    line.text = first_columns(before, width);
    line.columns = columns_of(line.text);
    if (shape.bar != 0) {
        line.text += space + bar_of(row, shape.bar, look);
        line.columns += gap + shape.bar;
    }
    line.text += after;
    line.columns += columns_of(after);
    return line;
}

ScreenLine plain_line(std::string_view text, std::size_t width, Style style, const Look& look) {
    const auto safe = for_terminal(text, look.utf8);
    const auto fitting =
        columns_of(safe) <= width
            ? safe
            : std::string(first_columns(safe, width - std::min<std::size_t>(width, 2))) +
                  (look.utf8 ? "…" : "..");
    const auto cut = std::string(first_columns(fitting, width));
    return {.text = look.colors.paint(cut, style), .columns = columns_of(cut)};
}

}  // namespace

unsigned percent_of(std::uint64_t done, std::uint64_t size) noexcept {
    if (done >= size) {
        return 100;
    }
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max() / 100;
    const auto percent = size <= largest ? done * 100 / size : done / (size / 100);
    return static_cast<unsigned>(std::min<std::uint64_t>(percent, 99));
}

std::string format_eta(std::uint64_t seconds) {
    constexpr std::uint64_t longest = 99ULL * 86'400;
    if (seconds < 60) {
        return std::to_string(seconds) + " s";
    }
    return format_duration(std::chrono::seconds(std::min(seconds, longest)));
}

std::vector<ScreenLine> render_progress(const api::Pull& pull, const Look& look) {
    const auto width = std::max<std::size_t>(look.width, 2) - 1;
    const auto most =
        std::max<std::size_t>(look.rows, 5) - 4;  // less total, "more", reason, cursor
    auto rows = file_rows(pull, most, look.utf8);
    const auto hidden = pull.files.size() - rows.size();
    if (pull.files.size() > 1) {
        rows.push_back(row_of(pull, "total", look.utf8));
    } else if (pull.files.empty() || pull.state != "downloading") {
        const auto& name = pull.files.empty() ? pull.name : pull.files.front().name;
        rows.assign(1, row_of(pull, for_terminal(name, look.utf8), look.utf8));
    }
    const auto shape = shape_for(rows, width);
    std::vector<ScreenLine> lines;
    for (const auto& row : rows) {
        lines.push_back(line_of(row, shape, width, look));
    }
    if (hidden != 0) {
        const auto text = "and " + std::to_string(hidden) + (hidden == 1 ? " file" : " files");
        lines.insert(lines.end() - 1, plain_line(text + " more", width, Style::dim, look));
    }
    if (pull.state == "retrying" && !pull.error.empty()) {
        lines.push_back(plain_line("retrying: " + pull.error, width, Style::busy, look));
    }
    return lines;
}

std::string progress_in_words(const api::Pull& pull) {
    auto words = pull.name + ": ";
    words += pull.size ? std::to_string(percent_of(pull.done, *pull.size)) + " % of " +
                             format_bytes(*pull.size)
                       : format_bytes(pull.done);
    if (pull.rate != 0 && !api::is_at_rest(pull)) {
        words += ", " + speed_of(pull.rate);
    }
    if (pull.eta_seconds && !api::is_at_rest(pull)) {
        words += ", " + format_eta(*pull.eta_seconds) + " left";
    }
    return words;
}

}  // namespace routerd::ctl
