#include <array>

#include "daemon/store/open.hpp"

namespace routerd {
namespace {

/// Schema 1. AUTOINCREMENT: an instance id never comes back, also after its row is gone.
constexpr std::string_view schema_1 = R"sql(
CREATE TABLE files (
    path        TEXT PRIMARY KEY NOT NULL,
    device      INTEGER NOT NULL,
    inode       INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    payload     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE overrides (
    model TEXT NOT NULL,
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE profiles (
    name       TEXT PRIMARY KEY NOT NULL,
    document   TEXT NOT NULL,
    changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE instances (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    model       TEXT NOT NULL,
    pid         INTEGER NOT NULL,
    start_ticks INTEGER NOT NULL,
    boot_id     TEXT NOT NULL,
    unix_path   TEXT NOT NULL,
    port        INTEGER NOT NULL,
    argv        TEXT NOT NULL,
    argv_hash   TEXT NOT NULL,
    log_path    TEXT NOT NULL,
    slots       INTEGER NOT NULL,
    started_ms  INTEGER NOT NULL
);
)sql";

/// Schema 2: what loads taught about the memory of models.
constexpr std::string_view schema_2 = R"sql(
CREATE TABLE corrections (
    fingerprint TEXT PRIMARY KEY NOT NULL,
    model       TEXT NOT NULL,
    figures     TEXT NOT NULL,
    learned_ms  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX corrections_by_age ON corrections (learned_ms);
)sql";

/// Schema 3: the requests that were answered. `seq` has no gaps, so that it counts the rows; `id`
/// is the history's own, which does not write every request. No index: rows are many and rarely
/// read.
constexpr std::string_view schema_3 = R"sql(
CREATE TABLE requests (
    seq               INTEGER PRIMARY KEY,
    id                INTEGER NOT NULL,
    started_ms        INTEGER NOT NULL,
    request           TEXT NOT NULL,
    endpoint          TEXT NOT NULL,
    model             TEXT NOT NULL,
    status            INTEGER NOT NULL,
    error             TEXT NOT NULL,
    stream            INTEGER NOT NULL,
    bytes             INTEGER NOT NULL,
    prompt_tokens     INTEGER,
    completion_tokens INTEGER,
    tokens_per_second REAL,
    queued_us         INTEGER NOT NULL,
    loaded_us         INTEGER NOT NULL,
    first_byte_us     INTEGER NOT NULL,
    took_us           INTEGER NOT NULL
);
)sql";

/// Schema 4: keys of clients, by digest.
constexpr std::string_view schema_4 = R"sql(
CREATE TABLE keys (
    id         TEXT PRIMARY KEY NOT NULL,
    name       TEXT UNIQUE NOT NULL,
    digest     TEXT UNIQUE NOT NULL,
    scopes     TEXT NOT NULL,
    models     TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER
) WITHOUT ROWID;
)sql";

/// Schema 5: downloads, and how far each of their files is.
constexpr std::string_view schema_5 = R"sql(
CREATE TABLE pulls (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    ref         TEXT NOT NULL,
    state       TEXT NOT NULL,
    code        TEXT NOT NULL,
    error       TEXT NOT NULL,
    hint        TEXT NOT NULL,
    request     TEXT NOT NULL,
    plan        TEXT NOT NULL,
    models      TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    finished_ms INTEGER
);

CREATE TABLE transfers (
    path    TEXT PRIMARY KEY NOT NULL,
    etag    TEXT NOT NULL,
    size    INTEGER,
    written TEXT NOT NULL,
    synced  TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    sha256  TEXT NOT NULL
) WITHOUT ROWID;
)sql";

constexpr std::array all_migrations{schema_1, schema_2, schema_3, schema_4, schema_5};

}  // namespace

Migrations state_migrations() {
    return all_migrations;
}

}  // namespace routerd
