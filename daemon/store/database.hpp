#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/result.hpp"
#include "daemon/store/statement.hpp"

namespace routerd {

/// One SQLite connection. It belongs to the Store and is used on the store thread only, so it has
/// no lock of its own. Errors of everything here: unavailable (disk full, I/O, locked, read-only,
/// corrupt; the message says which), conflict (a constraint), internal (wrong SQL).
class Database {
  public:
    enum class Mode {
        create,  ///< read and write, made when it is not there
        existing,
    };

    /// Connects and sets the busy timeout (5 s); reads nothing yet. `open_state_database()` is what
    /// the daemon calls.
    static Result<Database> connect(const std::string& path, Mode mode);

    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;
    ~Database();

    /// Runs `sql`, one or more statements without parameters; rows are ignored.
    Result<void> execute(const std::string& sql);

    Result<Statement> prepare(std::string_view sql);

    /// The same, kept for the next time, for what runs again and again: preparing costs more than
    /// running, and leaves the heap in pieces. Valid while the connection is open.
    Result<Statement*> kept(std::string_view sql);

    /// prepare() and Statement::run() in one, for what runs once.
    Result<void> run(std::string_view sql, std::initializer_list<SqlValue> values = {});

    /// The first column of the first row, 0 when there is none.
    Result<std::int64_t> integer(std::string_view sql);

    std::int64_t last_insert_id() const noexcept;

    /// Rows that the last INSERT, UPDATE or DELETE touched.
    std::int64_t changes() const noexcept;

    /// True when the last error here said that the file is damaged or no database at all.
    bool damaged() const noexcept;

    /// Whether closing merges the write-ahead log into the file; off leaves the file as it is.
    void checkpoint_on_close(bool enabled) noexcept;

    const std::string& path() const noexcept { return path_; }

  private:
    Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

    sqlite3* handle_ = nullptr;
    std::string path_;
    std::map<std::string, Statement, std::less<>> kept_;  // by its SQL
};

/// All or nothing: rolled back by the destructor unless commit() succeeded. One at a time.
class Transaction {
  public:
    /// Takes the write lock at once.
    static Result<Transaction> begin(Database& database);

    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    /// When it returns success, the change survives a power cut, unless Unhurried.
    Result<void> commit();

  private:
    explicit Transaction(Database& database) noexcept : database_(&database) {}

    Database* database_;  // nullptr once it is over
};

/// Commits do not wait for the disk while it lives, for what a power cut may take a moment of; the
/// write-ahead log keeps them whole and in order all the same. Outside of a Transaction.
class Unhurried {
  public:
    static Result<Unhurried> begin(Database& database);
    Unhurried(Unhurried&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    Unhurried& operator=(Unhurried&&) = delete;
    ~Unhurried();

  private:
    explicit Unhurried(Database& database) noexcept : database_(&database) {}

    Database* database_;
};

}  // namespace routerd
