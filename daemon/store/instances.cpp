#include "daemon/store/instances.hpp"

#include "daemon/store/database.hpp"
#include "daemon/store/wall_time.hpp"

namespace routerd {
namespace {

InstanceRow to_instance(const SqlRow& row) {
    return {.id = row.integer(0),
            .model = row.text(1),
            .pid = static_cast<int>(row.integer(2)),
            .start_ticks = from_sql(row.integer(3)),
            .boot_id = row.text(4),
            .unix_path = row.text(5),
            .port = static_cast<std::uint16_t>(row.integer(6)),
            .argv = row.text(7),
            .argv_hash = row.text(8),
            .log_path = row.text(9),
            .slots = static_cast<unsigned>(row.integer(10)),
            .started_at = wall_time(row.integer(11))};
}

}  // namespace

Result<std::vector<InstanceRow>> InstanceRepository::load_all() {
    auto select = database_->prepare(
        "SELECT id, model, pid, start_ticks, boot_id, unix_path, port, argv, argv_hash, log_path, "
        "slots, started_ms FROM instances ORDER BY id");
    if (!select) {
        return select.error();
    }
    std::vector<InstanceRow> rows;
    const auto done =
        select->each({}, [&rows](const SqlRow& row) { rows.push_back(to_instance(row)); });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<std::int64_t> InstanceRepository::insert(const InstanceRow& row) {
    const SqlValue id = row.id != 0 ? SqlValue(row.id) : SqlValue();  // NULL: SQLite numbers it
    const auto done = database_->run(
        "INSERT INTO instances (id, model, pid, start_ticks, boot_id, unix_path, port, argv, "
        "argv_hash, log_path, slots, started_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        {id, row.model, std::int64_t{row.pid}, to_sql(row.start_ticks), row.boot_id, row.unix_path,
         std::int64_t{row.port}, row.argv, row.argv_hash, row.log_path, std::int64_t{row.slots},
         milliseconds_of(row.started_at)});
    if (!done) {
        return done.error();
    }
    return database_->last_insert_id();
}

Result<void> InstanceRepository::set_process(std::int64_t id, int pid, std::uint64_t start_ticks) {
    const auto done =
        database_->run("UPDATE instances SET pid = ?2, start_ticks = ?3 WHERE id = ?1",
                       {id, std::int64_t{pid}, to_sql(start_ticks)});
    if (done && database_->changes() == 0) {
        return Error(Errc::not_found, "no instance " + std::to_string(id) + " in the database");
    }
    return done;
}

Result<void> InstanceRepository::remove(std::int64_t id) {
    return database_->run("DELETE FROM instances WHERE id = ?1", {id});
}

Result<std::int64_t> InstanceRepository::last_id() {
    return database_->integer("SELECT seq FROM sqlite_sequence WHERE name = 'instances'");
}

}  // namespace routerd
