#include "daemon/store/overrides.hpp"

#include "daemon/store/database.hpp"

namespace routerd {

Result<std::vector<OverrideRow>> OverrideRepository::load_all() {
    auto select = database_->prepare("SELECT model, key, value FROM overrides ORDER BY model, key");
    if (!select) {
        return select.error();
    }
    std::vector<OverrideRow> rows;
    const auto done = select->each({}, [&rows](const SqlRow& row) {
        rows.push_back({.model = row.text(0), .key = row.text(1), .value = row.text(2)});
    });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<void> OverrideRepository::apply(const std::vector<OverrideChange>& changes) {
    auto transaction = Transaction::begin(*database_);
    if (!transaction) {
        return transaction.error();
    }
    auto set = database_->prepare(
        "INSERT OR REPLACE INTO overrides (model, key, value) VALUES (?1, ?2, ?3)");
    if (!set) {
        return set.error();
    }
    auto unset = database_->prepare("DELETE FROM overrides WHERE model = ?1 AND key = ?2");
    if (!unset) {
        return unset.error();
    }
    for (const auto& change : changes) {
        const auto done = change.value ? set->run({change.model, change.key, *change.value})
                                       : unset->run({change.model, change.key});
        if (!done) {
            return done;
        }
    }
    return transaction->commit();
}

}  // namespace routerd
