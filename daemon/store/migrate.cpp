#include "daemon/store/migrate.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"

namespace routerd {
namespace {

/// A copy that a crash cannot leave half made under its final name.
Result<std::string> back_up(Database& database, std::int64_t version) {
    const std::string target = database.path() + ".schema-" + std::to_string(version) + ".bak";
    const std::string unfinished = target + ".part";
    ::unlink(unfinished.c_str());
    const auto copied = database.run("VACUUM INTO ?1", {unfinished});
    if (!copied) {
        ::unlink(unfinished.c_str());
        return copied.error().within("back up '" + database.path() + "' before its migration");
    }
    const UniqueFd file(::open(unfinished.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file || ::fsync(file.get()) != 0 || ::rename(unfinished.c_str(), target.c_str()) != 0) {
        return errno_error("keep the backup '" + target + "'", errno);
    }
    sync_directory_of(target);
    return target;
}

Result<void> migrate_step(Database& database, std::string_view sql, std::int64_t version) {
    auto transaction = Transaction::begin(database);
    if (!transaction) {
        return transaction.error();
    }
    const auto done = database.execute(std::string(sql));
    if (!done) {
        return done.error();
    }
    const auto marked =
        database.execute("PRAGMA application_id = " + std::to_string(state_application_id) +
                         "; PRAGMA user_version = " + std::to_string(version));
    if (!marked) {
        return marked.error();
    }
    return transaction->commit();
}

}  // namespace

void sync_directory_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path();
    const UniqueFd directory(
        ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) {
        ::fsync(directory.get());
    }
}

Result<void> migrate(Database& database, Migrations migrations, std::int64_t version,
                     OpenReport& report) {
    const auto newest = static_cast<std::int64_t>(migrations.size());
    report.created = version == 0;
    if (version > 0 && version < newest) {
        auto backup = back_up(database, version);
        if (!backup) {
            return backup.error();
        }
        report.backup = *backup;
        report.migrated_from = static_cast<int>(version);
    }
    for (; version < newest; ++version) {
        const auto done =
            migrate_step(database, migrations[static_cast<std::size_t>(version)], version + 1);
        if (!done) {
            return done.error().within("bring '" + database.path() + "' to schema " +
                                       std::to_string(version + 1));
        }
    }
    return {};
}

}  // namespace routerd
