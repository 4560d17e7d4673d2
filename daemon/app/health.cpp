#include "daemon/app/health.hpp"

#include <utility>

#include "daemon/store/settings.hpp"
#include "daemon/store/store.hpp"

namespace routerd {
namespace {

using std::chrono::steady_clock;

/// A probe that asks more often is answered from the last write: it may not wear out a disk.
constexpr std::chrono::seconds write_interval(1);

Response plain(const char* text) {
    return {.status = 200, .content_type = "text/plain", .body = text, .headers = {}};
}

}  // namespace

asio::awaitable<Result<void>> Health::database_writes() {
    if (steady_clock::now() - written_ < write_interval) {
        co_return boost::system::in_place_value;
    }
    const auto now = format_rfc3339(std::chrono::system_clock::now());
    auto write = [now](Database& database) {
        return SettingsRepository(database).set("last_ready_check", now);
    };
    auto wrote = co_await store_.run(std::move(write));
    if (wrote) {
        written_ = steady_clock::now();
    }
    co_return wrote;
}

asio::awaitable<Result<void>> Health::check() {
    if (!ready_) {
        co_return Error(Errc::unavailable, "the daemon is starting or stopping");
    }
    const auto writes = co_await database_writes();
    if (!writes) {
        co_return writes.error().within("check that the database takes writes");
    }
    co_return boost::system::in_place_value;
}

asio::awaitable<Result<Response>> Health::readyz(Exchange& /*exchange*/) {
    const auto checked = co_await check();
    if (!checked) {
        co_return checked.error();
    }
    co_return plain("ready\n");
}

std::vector<Route> Health::routes() {
    const auto live = [](Exchange& /*exchange*/) { return Result<Response>(plain("live\n")); };
    const auto ready = [this](Exchange& exchange) { return readyz(exchange); };
    std::vector<Route> table;
    table.push_back({"GET", "/livez", Scope::open, reply(live), Dialect::openai});
    table.push_back({"GET", "/readyz", Scope::open, reply(ready), Dialect::openai});
    return table;
}

}  // namespace routerd
