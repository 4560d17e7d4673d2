#include "daemon/supervisor/stored_corrections.hpp"

#include <utility>

#include "daemon/store/store.hpp"

namespace routerd {

boost::asio::awaitable<Result<void>> StoredCorrections::put(CorrectionRow row) {
    auto work = [row = std::move(row)](Database& database) {
        return CorrectionRepository(database).put(row);
    };
    co_return co_await store_.run(std::move(work));
}

boost::asio::awaitable<Result<std::vector<CorrectionRow>>> StoredCorrections::all() {
    auto work = [](Database& database) { return CorrectionRepository(database).load_all(); };
    co_return co_await store_.run(std::move(work));
}

}  // namespace routerd
