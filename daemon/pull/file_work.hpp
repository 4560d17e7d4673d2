#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/thread_pool.hpp>

#include "common/base/result.hpp"
#include "daemon/net/net.hpp"
#include "daemon/pull/plan.hpp"
#include "daemon/store/pulls.hpp"
#include "daemon/transfer/transfers.hpp"

namespace routerd {
class Store;
}

namespace routerd::pull {

/// What bringing one file needs.
struct FileOrder {
    std::string root;  ///< folder of downloads, absolute
    RemoteFile file;   ///< `path` is below it
    std::string token;
    transfer::OriginPolicy policy;
    unsigned connections = 1;
    std::uint64_t limit_rate = 0;
    bool patient = false;  ///< as transfer::Order has it
    bool typed = false;    ///< somebody named its URL
};

/// How it goes with one file.
struct FileView {
    std::optional<std::uint64_t> size;
    std::uint64_t done = 0;
    std::uint64_t rate = 0;  ///< bytes a second, over the last three seconds
    unsigned connections = 0;
    bool is_begun = false;
    bool is_verifying = false;
    bool is_complete = false;
    std::string sha256;   ///< when it is known
    std::string trouble;  ///< why it waits, or empty
    std::string note;
};

/// Brings one file to its place: looks whether it is there, fetches or copies it, compares its
/// digest, gives it its name. What came is kept in the store as it comes, so that the next process
/// goes on with it. Core loop; one run() at a time.
class FileWork : private transfer::Transfers::Keeper {
  public:
    struct Services {
        transfer::Transfers& transfers;
        Store& store;
        asio::thread_pool& pool;
        std::function<void()> changed;  ///< the view is another
    };

    FileWork(Services services, FileOrder order);

    /// Errors: those of Transfers::fetch(); upstream_error when the digest is another: then what
    /// came is removed; conflict when another file has the name.
    asio::awaitable<Result<void>> run();

    /// run() ends with Errc::cancelled; what came is kept.
    void stop();

    void limit(std::uint64_t rate, unsigned connections);

    const FileView& view() const noexcept { return view_; }
    std::string path() const { return order_.root + "/" + order_.file.path; }

  private:
    asio::awaitable<Result<void>> keep(transfer::Record record) override;
    void on_live(const transfer::Live& live) override;

    asio::awaitable<Result<bool>> is_here();
    asio::awaitable<Result<void>> bring();
    asio::awaitable<Result<transfer::Fetched>> fetch();
    asio::awaitable<Result<transfer::Fetched>> copy();
    asio::awaitable<Result<void>> publish(std::uint64_t size);
    asio::awaitable<void> throw_away();
    asio::awaitable<Result<void>> save(TransferRow row);
    Result<transfer::Order> transfer_order(const std::optional<TransferRow>& kept) const;
    void note_progress(std::uint64_t done);

    Services services_;
    FileOrder order_;
    std::uint64_t id_;  // of the transfer
    FileView view_;
    std::deque<std::pair<TimePoint, std::uint64_t>> progress_;  // of the last seconds
    std::atomic<bool> stopping_ = false;                        // the pool's copy looks at it
};

}  // namespace routerd::pull
