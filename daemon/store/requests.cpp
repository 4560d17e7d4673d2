#include "daemon/store/requests.hpp"

#include <limits>

#include "daemon/store/database.hpp"
#include "daemon/store/wall_time.hpp"

namespace routerd {
namespace {

SqlValue number_or_null(const std::optional<std::uint64_t>& number) {
    return number ? SqlValue(to_sql(*number)) : SqlValue();
}

std::optional<std::uint64_t> number_in(const SqlRow& row, int column) {
    return row.null(column) ? std::nullopt : std::optional(from_sql(row.integer(column)));
}

std::chrono::microseconds time_in(const SqlRow& row, int column) {
    return std::chrono::microseconds(row.integer(column));
}

RequestRow to_request(const SqlRow& row) {
    RequestRow request;
    request.id = from_sql(row.integer(0));
    request.started = wall_time(row.integer(1));
    request.request = row.text(2);
    request.endpoint = row.text(3);
    request.model = row.text(4);
    request.status = static_cast<unsigned>(row.integer(5));
    request.error = row.text(6);
    request.stream = row.integer(7) != 0;
    request.bytes = from_sql(row.integer(8));
    request.prompt_tokens = number_in(row, 9);
    request.completion_tokens = number_in(row, 10);
    request.tokens_per_second = row.null(11) ? std::nullopt : std::optional(row.real(11));
    request.queued = time_in(row, 12);
    request.loaded = time_in(row, 13);
    request.first_byte = time_in(row, 14);
    request.took = time_in(row, 15);
    return request;
}

Result<void> insert(Statement& statement, const RequestRow& row) {
    const auto rate = row.tokens_per_second ? SqlValue(*row.tokens_per_second) : SqlValue();
    return statement.run({to_sql(row.id), milliseconds_of(row.started), row.request, row.endpoint,
                          row.model, std::int64_t{row.status}, row.error,
                          std::int64_t{row.stream ? 1 : 0}, to_sql(row.bytes),
                          number_or_null(row.prompt_tokens), number_or_null(row.completion_tokens),
                          rate, std::int64_t{row.queued.count()}, std::int64_t{row.loaded.count()},
                          std::int64_t{row.first_byte.count()}, std::int64_t{row.took.count()}});
}

constexpr unsigned first_failure = 400;

}  // namespace

bool RequestFilter::wants(const RequestRow& row) const {
    return (!before || row.id < *before) && (model.empty() || row.model == model) &&
           row.took >= slow && (!failed || row.status >= first_failure) &&
           (!since || row.started >= *since);
}

Result<void> RequestRepository::add(std::span<const RequestRow> rows) {
    const auto unhurried = Unhurried::begin(*database_);
    if (!unhurried) {
        return unhurried.error();
    }
    auto transaction = Transaction::begin(*database_);
    if (!transaction) {
        return transaction.error();
    }
    const auto statement = database_->kept(
        "INSERT INTO requests (id, started_ms, request, endpoint, model, status, error, stream, "
        "bytes, prompt_tokens, completion_tokens, tokens_per_second, queued_us, loaded_us, "
        "first_byte_us, took_us) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)");
    if (!statement) {
        return statement.error();
    }
    for (const auto& row : rows) {
        const auto inserted = insert(**statement, row);
        if (!inserted) {
            return inserted;
        }
    }
    // Rows come at the top and go at the bottom: their numbers have no gaps.
    const auto drop =
        database_->kept("DELETE FROM requests WHERE seq <= (SELECT max(seq) FROM requests) - ?1");
    if (!drop) {
        return drop.error();
    }
    auto dropped = (*drop)->run({static_cast<std::int64_t>(most_)});
    if (!dropped) {
        return dropped;
    }
    return transaction->commit();
}

Result<std::vector<RequestRow>> RequestRepository::newest(const RequestFilter& filter) {
    constexpr auto no_end = std::numeric_limits<std::int64_t>::max();
    auto select = database_->prepare(
        "SELECT id, started_ms, request, endpoint, model, status, error, stream, bytes, "
        "prompt_tokens, completion_tokens, tokens_per_second, queued_us, loaded_us, "
        "first_byte_us, took_us FROM requests "
        "WHERE id < ?1 AND (?2 = '' OR model = ?2) AND took_us >= ?3 AND status >= ?4 "
        "AND started_ms >= ?5 ORDER BY seq DESC LIMIT ?6");
    if (!select) {
        return select.error();
    }
    std::vector<RequestRow> rows;
    const auto done = select->each(
        {filter.before ? to_sql(*filter.before) : no_end, filter.model,
         std::int64_t{filter.slow.count()}, std::int64_t{filter.failed ? first_failure : 0},
         filter.since ? milliseconds_of(*filter.since) : 0,
         static_cast<std::int64_t>(filter.limit)},
        [&rows](const SqlRow& row) { rows.push_back(to_request(row)); });
    if (!done) {
        return done.error();
    }
    return rows;
}

Result<std::uint64_t> RequestRepository::last_id() {
    const auto id = database_->integer("SELECT id FROM requests ORDER BY seq DESC LIMIT 1");
    if (!id) {
        return id.error();
    }
    return from_sql(*id);
}

}  // namespace routerd
