#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cmd/routerctl/context.hpp"
#include "cmd/routerctl/output/table.hpp"
#include "common/api/codec.hpp"
#include "common/api/list.hpp"

namespace routerd::ctl {

/// One column of a table of T.
template <class T>
struct Column {
    enum class When { always, wide };

    const char* heading = "";
    std::function<Cell(const T&)> cell;
    When when = When::always;
};

/// How a list of T is shown: its columns, and what --quiet prints of an item.
template <class T>
struct Layout {
    std::vector<Column<T>> columns;
    std::function<std::string(const T&)> id;
};

/// A list ready to be printed in any format.
struct Rows {
    std::string json;  ///< {"items": […], …}
    std::vector<std::string> ids;
    std::vector<std::string> headings;
    std::vector<std::vector<Cell>> cells;
};

/// The exit code: usage for a template that does not fit the items.
int print_rows(const Context& context, const Rows& rows);

/// One line with an id, made safe for a terminal.
void print_name(const Context& context, const std::string& id);

/// One object, as JSON text, in any format: `id` for --quiet; for people `show` is called.
int print_json(const Context& context, const std::string& json, const std::string& id,
               const std::function<void()>& show);

template <class T>
int print_value(const Context& context, const T& value, const std::string& id,
                const std::function<void()>& show) {
    return print_json(context, api::encode(value), id, show);
}

/// One of a stream of objects: JSON is one line each, so that a reader can tell them apart.
template <class T>
int print_streamed(const Context& context, const T& value, const std::string& id,
                   const std::function<void()>& show) {
    if (context.format.kind == Format::Kind::json) {
        context.out() << api::encode(value) << '\n';
        return exit_ok;
    }
    return print_value(context, value, id, show);
}

/// The columns that the format has.
template <class T>
std::vector<Column<T>> shown_columns(const Context& context, const Layout<T>& layout) {
    const bool is_wide = context.format.kind == Format::Kind::wide;
    auto columns = layout.columns;
    std::erase_if(columns, [is_wide](const Column<T>& column) {
        return column.when == Column<T>::When::wide && !is_wide;
    });
    return columns;
}

template <class T>
int print_list(const Context& context, const api::List<T>& list, const Layout<T>& layout) {
    Rows rows;
    if (context.format.kind == Format::Kind::json || context.format.kind == Format::Kind::words) {
        rows.json = api::encode(list);
        return print_rows(context, rows);
    }
    const auto columns = shown_columns(context, layout);
    for (const auto& column : columns) {
        rows.headings.emplace_back(column.heading);
    }
    for (const auto& item : list.items) {
        rows.ids.push_back(layout.id(item));
        auto& cells = rows.cells.emplace_back();
        for (const auto& column : columns) {
            cells.push_back(column.cell(item));
        }
    }
    return print_rows(context, rows);
}

}  // namespace routerd::ctl
