#include "daemon/supervisor/stored_rows.hpp"

#include <utility>

#include "daemon/store/store.hpp"

namespace routerd {

boost::asio::awaitable<Result<void>> StoredRows::insert(InstanceRow row) {
    auto work = [row = std::move(row)](Database& database) -> Result<void> {
        const auto id = InstanceRepository(database).insert(row);
        if (!id) {
            return id.error();
        }
        return {};
    };
    co_return co_await store_.run(std::move(work));
}

boost::asio::awaitable<Result<void>> StoredRows::remove(std::int64_t id) {
    auto work = [id](Database& database) { return InstanceRepository(database).remove(id); };
    co_return co_await store_.run(std::move(work));
}

boost::asio::awaitable<Result<InstanceRows::All>> StoredRows::all() {
    auto work = [](Database& database) -> Result<All> {
        InstanceRepository repository(database);
        auto rows = repository.load_all();
        if (!rows) {
            return rows.error();
        }
        const auto last = repository.last_id();
        if (!last) {
            return last.error();
        }
        return All{std::move(*rows), *last};
    };
    co_return co_await store_.run(std::move(work));
}

}  // namespace routerd
