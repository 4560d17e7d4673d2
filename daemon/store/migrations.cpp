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

constexpr std::array all_migrations{schema_1, schema_2};

}  // namespace

Migrations state_migrations() {
    return all_migrations;
}

}  // namespace routerd
