#include "daemon/store/corrections.hpp"

#include <cstdint>

#include "daemon/store/database.hpp"
#include "daemon/store/wall_time.hpp"

namespace routerd {
namespace {

CorrectionRow to_correction(const SqlRow& row) {
    return {.fingerprint = row.text(0),
            .model = row.text(1),
            .figures = row.text(2),
            .learned_at = wall_time(row.integer(3))};
}

}  // namespace

Result<std::vector<CorrectionRow>> CorrectionRepository::load_all() {
    auto select = database_->prepare(
        "SELECT fingerprint, model, figures, learned_ms FROM corrections ORDER BY learned_ms");
    if (!select) {
        return select.error();
    }
    std::vector<CorrectionRow> rows;
    const auto done =
        select->each({}, [&rows](const SqlRow& row) { rows.push_back(to_correction(row)); });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<void> CorrectionRepository::put(const CorrectionRow& row) {
    auto transaction = Transaction::begin(*database_);
    if (!transaction) {
        return transaction.error();
    }
    const auto written = database_->run(
        "INSERT OR REPLACE INTO corrections (fingerprint, model, figures, learned_ms) "
        "VALUES (?1, ?2, ?3, ?4)",
        {row.fingerprint, row.model, row.figures, milliseconds_of(row.learned_at)});
    if (!written) {
        return written;
    }
    const auto dropped = database_->run(
        "DELETE FROM corrections WHERE fingerprint IN (SELECT fingerprint FROM corrections "
        "ORDER BY learned_ms DESC LIMIT -1 OFFSET ?1)",
        {static_cast<std::int64_t>(most_)});
    if (!dropped) {
        return dropped;
    }
    return transaction->commit();
}

}  // namespace routerd
