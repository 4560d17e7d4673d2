#include "daemon/store/database.hpp"

#include <algorithm>
#include <utility>

#include <sqlite3.h>

#include "daemon/store/sqlite_error.hpp"

namespace routerd {
namespace {

/// A statement for an error: its beginning, without line breaks.
std::string in_a_line(std::string_view sql) {
    constexpr std::size_t longest = 80;
    const auto begin = sql.find_first_not_of(" \n");
    std::string line(begin == std::string_view::npos ? std::string_view()
                                                     : sql.substr(begin, longest));
    std::ranges::replace(line, '\n', ' ');
    return begin != std::string_view::npos && sql.size() - begin > longest ? line + "…" : line;
}

}  // namespace

Result<Database> Database::connect(const std::string& path, Mode mode) {
    constexpr int busy_timeout_ms = 5000;
    sqlite3* handle = nullptr;
    // NOMUTEX: one connection on one thread at a time needs no lock of SQLite's.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (mode == Mode::create ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    Database database(handle, path);  // closes the handle, which exists even after a failure
    if (code != SQLITE_OK) {
        return sqlite_error(handle, "open '" + path + "'");
    }
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    return database;
}

Database::Database(Database&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      path_(std::move(other.path_)),
      kept_(std::move(other.kept_)) {}

Database& Database::operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(path_, other.path_);
    std::swap(kept_, other.kept_);
    return *this;
}

Database::~Database() {
    kept_.clear();
    sqlite3_close_v2(handle_);
}

Result<void> Database::execute(const std::string& sql) {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return sqlite_error(handle_, "run '" + in_a_line(sql) + "'");
    }
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int code =
        sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
    if (code != SQLITE_OK) {
        return sqlite_error(handle_, "prepare '" + std::string(sql) + "'");
    }
    return Statement(handle_, statement);
}

Result<Statement*> Database::kept(std::string_view sql) {
    auto found = kept_.find(sql);
    if (found == kept_.end()) {
        auto statement = prepare(sql);
        if (!statement) {
            return statement.error();
        }
        found = kept_.emplace(sql, std::move(*statement)).first;
    }
    return &found->second;
}

Result<void> Database::run(std::string_view sql, std::initializer_list<SqlValue> values) {
    auto statement = prepare(sql);
    if (!statement) {
        return statement.error();
    }
    return statement->run(values);
}

Result<std::int64_t> Database::integer(std::string_view sql) {
    auto statement = prepare(sql);
    if (!statement) {
        return statement.error();
    }
    std::int64_t value = 0;
    bool first = true;
    const auto done = statement->each({}, [&](const SqlRow& row) {
        value = std::exchange(first, false) ? row.integer(0) : value;
    });
    if (!done) {
        return done.error();
    }
    return value;
}

std::int64_t Database::last_insert_id() const noexcept {
    return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Database::changes() const noexcept {
    return sqlite3_changes64(handle_);
}

bool Database::damaged() const noexcept {
    const int code = sqlite3_errcode(handle_) & 0xFF;
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

void Database::checkpoint_on_close(bool enabled) noexcept {
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, enabled ? 0 : 1, nullptr);
}

Result<Transaction> Transaction::begin(Database& database) {
    const auto begun = database.execute("BEGIN IMMEDIATE");
    if (!begun) {
        return begun.error();
    }
    return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
    if (database_ != nullptr) {
        // Fails only when SQLite rolled back by itself already (disk full, I/O error).
        static_cast<void>(database_->execute("ROLLBACK"));  // NOLINT(bugprone-unused-return-value)
    }
}

Result<void> Transaction::commit() {
    const auto committed = database_->execute("COMMIT");
    if (committed) {
        database_ = nullptr;
    }
    return committed;
}

Result<Unhurried> Unhurried::begin(Database& database) {
    const auto set = database.execute("PRAGMA synchronous = NORMAL");
    return set ? Result<Unhurried>(Unhurried(database)) : Result<Unhurried>(set.error());
}

Unhurried::~Unhurried() {
    if (database_ != nullptr) {
        // Fails only within a transaction, and that has ended before this.
        // NOLINTNEXTLINE(bugprone-unused-return-value)
        static_cast<void>(database_->execute("PRAGMA synchronous = FULL"));
    }
}

}  // namespace routerd
