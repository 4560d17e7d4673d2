#include "daemon/store/pulls.hpp"

#include "common/base/text.hpp"
#include "daemon/store/database.hpp"
#include "daemon/store/wall_time.hpp"

namespace routerd {
namespace {

/// The id of a model has no line break in it.
constexpr std::string_view separator_of_models = "\n";

std::vector<std::string> models_in(const std::string& text) {
    std::vector<std::string> models;
    for (const auto part : text.empty() ? std::vector<std::string_view>()
                                        : split(text, separator_of_models.front())) {
        models.emplace_back(part);
    }
    return models;
}

PullRow to_pull(const SqlRow& row) {
    return {.id = row.integer(0),
            .ref = row.text(1),
            .state = row.text(2),
            .code = row.text(3),
            .error = row.text(4),
            .hint = row.text(5),
            .request = row.text(6),
            .plan = row.text(7),
            .models = models_in(row.text(8)),
            .created_at = wall_time(row.integer(9)),
            .finished_at = row.null(10) ? std::nullopt : std::optional(wall_time(row.integer(10)))};
}

SqlValue or_null(const std::optional<WallTime>& time) {
    return time ? SqlValue(milliseconds_of(*time)) : SqlValue();
}

}  // namespace

Result<std::vector<PullRow>> PullRepository::load_all() {
    auto select = database_->prepare(
        "SELECT id, ref, state, code, error, hint, request, plan, models, created_ms, finished_ms "
        "FROM pulls ORDER BY id");
    if (!select) {
        return select.error();
    }
    std::vector<PullRow> rows;
    const auto done =
        select->each({}, [&rows](const SqlRow& row) { rows.push_back(to_pull(row)); });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<std::int64_t> PullRepository::insert(const PullRow& row) {
    const auto models = join(row.models, separator_of_models);
    const auto done = database_->run(
        "INSERT INTO pulls (ref, state, code, error, hint, request, plan, models, created_ms, "
        "finished_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        {row.ref, row.state, row.code, row.error, row.hint, row.request, row.plan, models,
         milliseconds_of(row.created_at), or_null(row.finished_at)});
    if (!done) {
        return done.error();
    }
    return database_->last_insert_id();
}

Result<void> PullRepository::update(const PullRow& row) {
    const auto models = join(row.models, separator_of_models);
    auto done = database_->run(
        "UPDATE pulls SET state = ?2, code = ?3, error = ?4, hint = ?5, request = ?6, plan = ?7, "
        "models = ?8, finished_ms = ?9 WHERE id = ?1",
        {row.id, row.state, row.code, row.error, row.hint, row.request, row.plan, models,
         or_null(row.finished_at)});
    if (done && database_->changes() == 0) {
        return Error(Errc::not_found, "no pull " + std::to_string(row.id));
    }
    return done;
}

Result<void> PullRepository::remove(std::int64_t id) {
    auto done = database_->run("DELETE FROM pulls WHERE id = ?1", {id});
    if (done && database_->changes() == 0) {
        return Error(Errc::not_found, "no pull " + std::to_string(id));
    }
    return done;
}

Result<std::optional<TransferRow>> TransferRepository::find(std::string_view path) {
    auto select = database_->prepare(
        "SELECT path, etag, size, written, synced, boot_id, sha256 FROM transfers WHERE path = ?1");
    if (!select) {
        return select.error();
    }
    std::optional<TransferRow> found;
    const auto done = select->each({path}, [&found](const SqlRow& row) {
        found = TransferRow{.path = row.text(0),
                            .etag = row.text(1),
                            .size = row.null(2)
                                        ? std::nullopt
                                        : std::optional(static_cast<std::uint64_t>(row.integer(2))),
                            .written = row.text(3),
                            .synced = row.text(4),
                            .boot_id = row.text(5),
                            .sha256 = row.text(6)};
    });
    if (!done) {
        return done.error();
    }
    return found;
}

Result<void> TransferRepository::save(const TransferRow& row) {
    const auto unhurried = Unhurried::begin(*database_);
    if (!unhurried) {
        return unhurried.error();
    }
    auto insert = database_->kept(
        "INSERT INTO transfers (path, etag, size, written, synced, boot_id, sha256) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (path) DO UPDATE SET etag = ?2, "
        "size = ?3, written = ?4, synced = ?5, boot_id = ?6, sha256 = ?7");
    if (!insert) {
        return insert.error();
    }
    const SqlValue size = row.size ? SqlValue(static_cast<std::int64_t>(*row.size)) : SqlValue();
    return (*insert)->run(
        {row.path, row.etag, size, row.written, row.synced, row.boot_id, row.sha256});
}

Result<std::vector<std::string>> TransferRepository::paths() {
    auto select = database_->prepare("SELECT path FROM transfers ORDER BY path");
    if (!select) {
        return select.error();
    }
    std::vector<std::string> paths;
    const auto done =
        select->each({}, [&paths](const SqlRow& row) { paths.push_back(row.text(0)); });
    if (!done) {
        return done.error();
    }
    return paths;
}

Result<void> TransferRepository::remove(std::string_view path) {
    return database_->run("DELETE FROM transfers WHERE path = ?1", {path});
}

}  // namespace routerd
