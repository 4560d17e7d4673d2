#include "daemon/store/sqlite_error.hpp"

#include <cerrno>
#include <system_error>

#include <sqlite3.h>

namespace routerd {
namespace {

std::string file_of(sqlite3* database) {
    const char* path = database != nullptr ? sqlite3_db_filename(database, "main") : nullptr;
    return path != nullptr && *path != '\0' ? "'" + std::string(path) + "'" : "the database";
}

bool is_out_of_space(int code, int system_error) {
    // The shared-memory file is only ever grown, and SQLite keeps no errno of that.
    if ((code & 0xFF) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) {
        return true;
    }
    return (code & 0xFF) == SQLITE_IOERR &&
           (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG);
}

}  // namespace

Error sqlite_error(sqlite3* database, const std::string& attempt) {
    const int code = database != nullptr ? sqlite3_extended_errcode(database) : SQLITE_NOMEM;
    const int system_error = database != nullptr ? sqlite3_system_errno(database) : ENOMEM;
    const std::string file = file_of(database);
    if (is_out_of_space(code, system_error)) {
        return Error(Errc::unavailable, attempt + ": disk full: no space for " + file)
            .with_hint("free space on that disk; nothing was changed, and it works again then");
    }
    std::string message = attempt + ": ";
    message += database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    switch (code & 0xFF) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return Error(Errc::unavailable, message + ": " + file)
                .with_hint("another program holds the database; end its transaction");
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_CANTOPEN:
        case SQLITE_IOERR:
            if (system_error != 0) {
                message += " (" + std::generic_category().message(system_error) + ")";
            }
            return Error(Errc::unavailable, message + ": " + file)
                .with_hint("see who owns it, its mode, and whether its disk works");
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Error(Errc::unavailable, message + ": " + file)
                .with_hint("restart routerd: it moves a damaged database aside and starts anew");
        case SQLITE_NOMEM:
            return {Errc::unavailable, message};
        case SQLITE_CONSTRAINT:
            return {Errc::conflict, message};
        default:
            return {Errc::internal, message};
    }
}

}  // namespace routerd
