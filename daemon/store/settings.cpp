#include "daemon/store/settings.hpp"

#include "daemon/store/database.hpp"

namespace routerd {

Result<Settings> SettingsRepository::load_all() {
    auto select = database_->prepare("SELECT key, value FROM settings");
    if (!select) {
        return select.error();
    }
    Settings settings;
    const auto done = select->each(
        {}, [&settings](const SqlRow& row) { settings.emplace(row.text(0), row.text(1)); });
    if (!done) {
        return done.error();
    }
    return settings;
}

Result<std::optional<std::string>> SettingsRepository::get(std::string_view key) {
    auto select = database_->prepare("SELECT value FROM settings WHERE key = ?1");
    if (!select) {
        return select.error();
    }
    std::optional<std::string> value;
    const auto done = select->each({key}, [&value](const SqlRow& row) { value = row.text(0); });
    if (!done) {
        return done.error();
    }
    return value;
}

Result<void> SettingsRepository::set(std::string_view key, std::string_view value) {
    return database_->run("INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)",
                          {key, value});
}

Result<void> SettingsRepository::unset(std::string_view key) {
    return database_->run("DELETE FROM settings WHERE key = ?1", {key});
}

}  // namespace routerd
