#include "daemon/store/statement.hpp"

#include <utility>

#include <sqlite3.h>

#include "daemon/store/sqlite_error.hpp"

namespace routerd {
namespace {

/// Leaves the statement ready for its next run, whatever this one came to.
class Run {
  public:
    explicit Run(sqlite3_stmt* statement) noexcept : statement_(statement) {}
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

  private:
    sqlite3_stmt* statement_;
};

int bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return sqlite3_bind_int64(statement, index, *number);
    }
    if (const auto* real = std::get_if<double>(&value)) {
        return sqlite3_bind_double(statement, index, *real);
    }
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        const char* data = text->data() != nullptr ? text->data() : "";  // a null pointer is NULL
        return sqlite3_bind_text64(statement, index, data, text->size(), SQLITE_STATIC,
                                   SQLITE_UTF8);
    }
    return sqlite3_bind_null(statement, index);
}

}  // namespace

std::int64_t SqlRow::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

double SqlRow::real(int column) const {
    return sqlite3_column_double(statement_, column);
}

std::string SqlRow::text(int column) const {
    const auto* data = sqlite3_column_blob(statement_, column);  // the bytes, as they were bound
    const int size = sqlite3_column_bytes(statement_, column);
    return data != nullptr
               ? std::string(static_cast<const char*>(data), static_cast<std::size_t>(size))
               : std::string();
}

bool SqlRow::null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

Result<void> Statement::run(std::initializer_list<SqlValue> values) {
    return each(values, [](const SqlRow& /*row*/) {});
}

Result<void> Statement::each(std::initializer_list<SqlValue> values,
                             const std::function<void(const SqlRow&)>& on_row) {
    const Run guard(statement_);
    const auto failed = [this] {
        return sqlite_error(database_, std::string("run '") + sqlite3_sql(statement_) + "'");
    };
    int index = 0;
    for (const auto& value : values) {
        if (bind(statement_, ++index, value) != SQLITE_OK) {
            return failed();
        }
    }
    const SqlRow row(statement_);
    int code = sqlite3_step(statement_);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement_)) {
        on_row(row);
    }
    if (code != SQLITE_DONE) {
        return failed();
    }
    return {};
}

}  // namespace routerd
