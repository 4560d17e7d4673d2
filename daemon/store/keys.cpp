#include "daemon/store/keys.hpp"

#include "common/base/text.hpp"
#include "daemon/store/database.hpp"
#include "daemon/store/wall_time.hpp"

namespace routerd {
namespace {

/// Neither a scope nor the id of a model has a line break in it.
constexpr char separator = '\n';

std::vector<std::string> to_list(const std::string& text) {
    std::vector<std::string> list;
    if (!text.empty()) {
        for (const auto part : split(text, separator)) {
            list.emplace_back(part);
        }
    }
    return list;
}

KeyRow to_key(const SqlRow& row) {
    return {.id = row.text(0),
            .name = row.text(1),
            .digest = row.text(2),
            .scopes = to_list(row.text(3)),
            .models = to_list(row.text(4)),
            .created_at = wall_time(row.integer(5)),
            .expires_at = row.null(6) ? std::nullopt : std::optional(wall_time(row.integer(6)))};
}

}  // namespace

Result<std::vector<KeyRow>> KeyRepository::load_all() {
    auto select = database_->prepare(
        "SELECT id, name, digest, scopes, models, created_ms, expires_ms FROM keys ORDER BY name");
    if (!select) {
        return select.error();
    }
    std::vector<KeyRow> rows;
    const auto done = select->each({}, [&rows](const SqlRow& row) { rows.push_back(to_key(row)); });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<void> KeyRepository::insert(const KeyRow& row) {
    const auto scopes = join(row.scopes, std::string_view(&separator, 1));
    const auto models = join(row.models, std::string_view(&separator, 1));
    const SqlValue expires =
        row.expires_at ? SqlValue(milliseconds_of(*row.expires_at)) : SqlValue();
    return database_->run(
        "INSERT INTO keys (id, name, digest, scopes, models, created_ms, expires_ms) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        {row.id, row.name, row.digest, scopes, models, milliseconds_of(row.created_at), expires});
}

Result<void> KeyRepository::remove(std::string_view id) {
    const auto done = database_->run("DELETE FROM keys WHERE id = ?1", {id});
    if (done && database_->changes() == 0) {
        return Error(Errc::not_found, "no key '" + std::string(id) + "'");
    }
    return done;
}

}  // namespace routerd
