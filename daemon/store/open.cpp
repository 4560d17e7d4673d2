#include "daemon/store/open.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "common/base/time.hpp"
#include "daemon/store/migrate.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

/// Why the files at `path` cannot be one of SQLite's databases with its log; empty when they may.
std::string oddity(const std::string& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (fs::exists(status) && !fs::is_regular_file(status)) {
        return fs::is_directory(status) ? "it is a directory" : "it is not a regular file";
    }
    const auto log_size = fs::file_size(path + "-wal", error);
    const bool has_log = !error && log_size > 0;
    const auto size = fs::file_size(path, error);
    if (has_log && (error || size == 0)) {
        return "its write-ahead log is there, but the file itself is missing or empty";
    }
    return {};
}

/// Moves the database with its log out of the way; the name it has then.
Result<std::string> move_aside(const std::string& path) {
    const std::string base = path + ".corrupt-" + format_rfc3339(std::chrono::system_clock::now());
    std::string target = base;
    std::error_code error;
    for (int i = 2; fs::exists(fs::symlink_status(target, error)); ++i) {
        target = base + "-" + std::to_string(i);
    }
    for (const auto* suffix : {"-wal", "-shm", ""}) {  // the file last: a crash here is seen again
        if (::rename((path + suffix).c_str(), (target + suffix).c_str()) != 0 && errno != ENOENT) {
            return errno_error("move the damaged '" + path + suffix + "' aside", errno);
        }
    }
    sync_directory_of(path);
    return target;
}

Result<void> refuse_foreign(Database& database, std::int64_t id, std::int64_t version,
                            std::int64_t newest) {
    const auto objects = database.integer("SELECT count(*) FROM sqlite_schema");
    if (!objects) {
        return objects.error();
    }
    if (id != state_application_id && (id != 0 || version != 0 || *objects != 0)) {
        return Error(Errc::conflict,
                     "'" + database.path() + "' is a database of another program, not of routerd")
            .with_hint("move it away, or set [state] dir to a directory of routerd's own");
    }
    if (version > newest) {
        return Error(Errc::conflict, "'" + database.path() + "' has schema " +
                                         std::to_string(version) + ", and this routerd " +
                                         ROUTERD_VERSION + " knows schemas up to " +
                                         std::to_string(newest) + "; nothing was changed")
            .with_hint("start the newer routerd that wrote it, or go back to '" + database.path() +
                       ".schema-" + std::to_string(newest) + ".bak' if there is one");
    }
    return {};
}

/// SQLite's own look at every page; the first complaint, or empty.
Result<std::string> first_damage(Database& database) {
    auto check = database.prepare("PRAGMA quick_check(1)");
    if (!check) {
        return check.error();
    }
    std::string finding;
    const auto done = check->each({}, [&finding](const SqlRow& row) { finding = row.text(0); });
    if (!done) {
        return done.error();
    }
    return finding == "ok" ? std::string() : finding;
}

/// From a connection to a database that is checked, durable and of this build's schema. What is
/// damaged goes into `report.problem`.
Result<void> make_ready(Database& database, Migrations migrations, OpenReport& report) {
    database.checkpoint_on_close(false);  // until it is known to be ours, it stays as it is
    const auto id = database.integer("PRAGMA application_id");
    if (!id) {
        return id.error();
    }
    const auto version = database.integer("PRAGMA user_version");
    if (!version) {
        return version.error();
    }
    const auto newest = static_cast<std::int64_t>(migrations.size());
    auto ours = refuse_foreign(database, *id, *version, newest);
    if (!ours) {
        return ours;
    }
    const auto finding = first_damage(database);
    if (!finding) {
        return finding.error();
    }
    if (!finding->empty()) {
        report.problem = *finding;
        return Error(Errc::unavailable, "check '" + database.path() + "': " + *finding);
    }
    database.checkpoint_on_close(true);
    // The page cache is small so that it is full early: then memory does not grow with the history,
    // and the system's own cache has the rest.
    auto prepared = database.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
        "PRAGMA cache_size = -64");  // KiB
    if (!prepared) {
        return prepared;
    }
    return migrate(database, migrations, *version, report);
}

Result<Database> open_sound(const std::string& path, Migrations migrations, OpenReport& report) {
    auto database = Database::connect(path, Database::Mode::create);
    if (!database) {
        return database.error();
    }
    const auto ready = make_ready(*database, migrations, report);
    if (!ready) {
        if (report.problem.empty() && database->damaged()) {
            report.problem = ready.error().message();
        }
        return ready.error();
    }
    sync_directory_of(path);
    return std::move(*database);
}

}  // namespace

Result<OpenedDatabase> open_state_database(const std::string& path, Migrations migrations) {
    std::error_code error;
    const auto real = fs::weakly_canonical(path, error);  // the log lies beside the real file
    const std::string file = error ? path : real.string();
    OpenReport report;
    report.problem = oddity(file);
    if (report.problem.empty()) {
        const auto size = fs::file_size(file, error);
        const bool was_empty = !error && size == 0;
        auto database = open_sound(file, migrations, report);
        if (database) {
            report.problem = was_empty ? "the file was empty" : "";
            return OpenedDatabase{std::move(*database), std::move(report)};
        }
        if (report.problem.empty()) {
            return database.error();
        }
    }
    auto moved = move_aside(file);
    if (!moved) {
        return moved.error();
    }
    OpenReport anew;
    anew.moved_aside = *moved;
    auto database = open_sound(file, migrations, anew);
    if (!database) {
        return database.error();
    }
    anew.problem = report.problem;
    return OpenedDatabase{std::move(*database), std::move(anew)};
}

}  // namespace routerd
