#include "daemon/store/files.hpp"

#include "daemon/store/database.hpp"

namespace routerd {

Result<std::vector<FileRow>> FileRepository::load_all() {
    auto select =
        database_->prepare("SELECT path, device, inode, size, modified_ns, payload FROM files");
    if (!select) {
        return select.error();
    }
    std::vector<FileRow> rows;
    const auto done = select->each({}, [&rows](const SqlRow& row) {
        rows.push_back({.path = row.text(0),
                        .device = from_sql(row.integer(1)),
                        .inode = from_sql(row.integer(2)),
                        .size = from_sql(row.integer(3)),
                        .modified_ns = row.integer(4),
                        .payload = row.text(5)});
    });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<void> FileRepository::apply(const std::vector<FileRow>& upserts,
                                   const std::vector<std::string>& removed) {
    auto transaction = Transaction::begin(*database_);
    if (!transaction) {
        return transaction.error();
    }
    auto remove = database_->prepare("DELETE FROM files WHERE path = ?1");
    if (!remove) {
        return remove.error();
    }
    for (const auto& path : removed) {
        const auto done = remove->run({path});
        if (!done) {
            return done;
        }
    }
    auto upsert = database_->prepare(
        "INSERT OR REPLACE INTO files (path, device, inode, size, modified_ns, payload) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    if (!upsert) {
        return upsert.error();
    }
    for (const auto& row : upserts) {
        const auto done = upsert->run({row.path, to_sql(row.device), to_sql(row.inode),
                                       to_sql(row.size), row.modified_ns, row.payload});
        if (!done) {
            return done;
        }
    }
    return transaction->commit();
}

}  // namespace routerd
