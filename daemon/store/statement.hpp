#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace routerd {

/// What can be bound to a `?`: NULL, a number, or text that lives as long as the call.
using SqlValue = std::variant<std::monostate, std::int64_t, std::string_view, double>;

/// SQLite has only signed integers; an unsigned 64-bit value (inode, size) keeps its bits.
constexpr std::int64_t to_sql(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>(value);
}
constexpr std::uint64_t from_sql(std::int64_t value) noexcept {
    return static_cast<std::uint64_t>(value);
}

/// The row a statement stands on; valid only inside the callback it was given to. Columns count
/// from 0.
class SqlRow {
  public:
    explicit SqlRow(sqlite3_stmt* statement) noexcept : statement_(statement) {}

    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;  ///< NULL is ""
    bool null(int column) const;

  private:
    sqlite3_stmt* statement_;
};

/// One prepared statement, made by Database::prepare(), finalised by its destructor; it must not
/// outlive the Database. Store thread only. Errors: those of Database.
class Statement {
  public:
    Statement(Statement&& other) noexcept;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    /// Binds `values` to ?1, ?2, … and runs to the end; rows are ignored. Can be called again.
    Result<void> run(std::initializer_list<SqlValue> values = {});

    /// The same, with `on_row` called for each row.
    Result<void> each(std::initializer_list<SqlValue> values,
                      const std::function<void(const SqlRow&)>& on_row);

  private:
    friend class Database;
    Statement(sqlite3* database, sqlite3_stmt* statement) noexcept
        : database_(database), statement_(statement) {}

    sqlite3* database_;
    sqlite3_stmt* statement_;
};

}  // namespace routerd
