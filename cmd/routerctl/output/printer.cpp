#include "cmd/routerctl/output/printer.hpp"

#include <ostream>

#include <nlohmann/json.hpp>

#include "cmd/routerctl/output/template.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

constexpr std::size_t widest_cell = 60;

std::string pretty(const nlohmann::json& value) {
    return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Rows of a template, aligned at its tabs under the names of its fields.
int print_aligned(const Context& context, const Template& words, const nlohmann::json& items) {
    const auto cells_of = [](const std::string& line) {
        std::vector<Cell> cells;
        for (const auto part : split(line, '\t')) {
            cells.emplace_back(std::string(part));
        }
        return cells;
    };
    std::vector<std::string> headings;
    for (const auto& cell : cells_of(words.heading())) {
        headings.push_back(cell.text);
    }
    Table table(headings);
    for (const auto& item : items) {
        const auto line = words.apply(item);
        if (!line) {
            return context.fail(line.error());
        }
        auto cells = cells_of(*line);
        cells.resize(headings.size(), Cell(""));
        table.add(std::move(cells));
    }
    table.print(context.out(), Palette());
    return exit_ok;
}

int print_words(const Context& context, const nlohmann::json& items) {
    const auto words = Template::parse(context.format.words);
    if (!words) {
        return context.fail(words.error());
    }
    if (context.format.with_heading) {
        return print_aligned(context, *words, items);
    }
    for (const auto& item : items) {
        const auto line = words->apply(item);
        if (!line) {
            return context.fail(line.error());
        }
        context.out() << *line << '\n';
    }
    return exit_ok;
}

}  // namespace

void print_name(const Context& context, const std::string& id) {
    context.out() << escaped(id) << '\n';
}

int print_rows(const Context& context, const Rows& rows) {
    switch (context.format.kind) {
        case Format::Kind::json:
            context.out() << pretty(nlohmann::json::parse(rows.json)) << '\n';
            return exit_ok;
        case Format::Kind::words:
            return print_words(context, nlohmann::json::parse(rows.json).at("items"));
        case Format::Kind::quiet:
            for (const auto& id : rows.ids) {
                print_name(context, id);
            }
            return exit_ok;
        case Format::Kind::table:
        case Format::Kind::wide:
            break;
    }
    Table table(rows.headings);
    for (auto row : rows.cells) {
        for (auto& cell : row) {
            cell.text = context.no_trunc ? cell.text : shortened(cell.text, widest_cell);
        }
        table.add(std::move(row));
    }
    table.print(context.out(), context.colors);
    return exit_ok;
}

int print_json(const Context& context, const std::string& json, const std::string& id,
               const std::function<void()>& show) {
    switch (context.format.kind) {
        case Format::Kind::json:
            context.out() << pretty(nlohmann::json::parse(json)) << '\n';
            return exit_ok;
        case Format::Kind::words:
            return print_words(context, nlohmann::json::array({nlohmann::json::parse(json)}));
        case Format::Kind::quiet:
            if (!id.empty()) {
                print_name(context, id);
            }
            return exit_ok;
        case Format::Kind::table:
        case Format::Kind::wide:
            break;
    }
    show();
    return exit_ok;
}

}  // namespace routerd::ctl
