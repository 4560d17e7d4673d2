#include "daemon/store/profiles.hpp"

#include "daemon/store/database.hpp"
#include "daemon/store/wall_time.hpp"

namespace routerd {
namespace {

ProfileRow to_profile(const SqlRow& row) {
    return {.name = row.text(0), .document = row.text(1), .changed_at = wall_time(row.integer(2))};
}

}  // namespace

Result<std::vector<ProfileRow>> ProfileRepository::list() {
    auto select =
        database_->prepare("SELECT name, document, changed_ms FROM profiles ORDER BY name");
    if (!select) {
        return select.error();
    }
    std::vector<ProfileRow> rows;
    const auto done =
        select->each({}, [&rows](const SqlRow& row) { rows.push_back(to_profile(row)); });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<std::optional<ProfileRow>> ProfileRepository::get(std::string_view name) {
    auto select =
        database_->prepare("SELECT name, document, changed_ms FROM profiles WHERE name = ?1");
    if (!select) {
        return select.error();
    }
    std::optional<ProfileRow> found;
    const auto done =
        select->each({name}, [&found](const SqlRow& row) { found = to_profile(row); });
    if (!done) {
        return done.error();
    }
    return found;
}

Result<void> ProfileRepository::put(const ProfileRow& row) {
    return database_->run(
        "INSERT OR REPLACE INTO profiles (name, document, changed_ms) VALUES (?1, ?2, ?3)",
        {row.name, row.document, milliseconds_of(row.changed_at)});
}

Result<void> ProfileRepository::remove(std::string_view name) {
    const auto done = database_->run("DELETE FROM profiles WHERE name = ?1", {name});
    if (done && database_->changes() == 0) {
        return Error(Errc::not_found, "no profile '" + std::string(name) + "'");
    }
    return done;
}

Result<void> ProfileRepository::use(const std::vector<OverrideRow>& overrides,
                                    const Settings& settings) {
    auto transaction = Transaction::begin(*database_);
    if (!transaction) {
        return transaction.error();
    }
    const auto cleared = database_->execute("DELETE FROM overrides; DELETE FROM settings");
    if (!cleared) {
        return cleared;
    }
    auto insert =
        database_->prepare("INSERT INTO overrides (model, key, value) VALUES (?1, ?2, ?3)");
    if (!insert) {
        return insert.error();
    }
    for (const auto& row : overrides) {
        const auto done = insert->run({row.model, row.key, row.value});
        if (!done) {
            return done;
        }
    }
    SettingsRepository repository(*database_);
    for (const auto& [key, value] : settings) {
        const auto done = repository.set(key, value);
        if (!done) {
            return done;
        }
    }
    return transaction->commit();
}

}  // namespace routerd
