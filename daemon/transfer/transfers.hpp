#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "common/base/result.hpp"
#include "daemon/net/mailbox.hpp"
#include "daemon/net/net.hpp"
#include "daemon/transfer/order.hpp"

namespace routerd::transfer {

class Engine;
struct Told;

/// Fetches files and small answers from other machines, on threads of its own, which begin with the
/// first of them. Core loop. What was begun must have ended before it is destroyed.
class Transfers {
  public:
    /// Who keeps the books of one file.
    class Keeper {
      public:
        Keeper() = default;
        Keeper(const Keeper&) = delete;
        Keeper& operator=(const Keeper&) = delete;
        virtual ~Keeper() = default;

        /// Keeps what there is, over a crash too. No more than 8 MiB arrive before it returns.
        virtual asio::awaitable<Result<void>> keep(Record record) = 0;

        /// Some ten times a second.
        virtual void on_live(const Live& live) = 0;
    };

    Transfers(const asio::any_io_executor& executor, TransferSettings settings);
    ~Transfers();
    Transfers(const Transfers&) = delete;
    Transfers& operator=(const Transfers&) = delete;

    /// For fetch() and ask(), and to name the transfer meanwhile.
    std::uint64_t next_id() noexcept { return next_id_++; }

    /// Returns when the whole file is in its part, and synced; what its digest should be is
    /// for the caller to know, and PartFile::publish() gives it its name. Not cancelled by Asio:
    /// stop() ends it. Errors: cancelled (stopped; what came is in the part, and in the record),
    /// forbidden (the policy, or the origin's 401 and 403), not_found, conflict (something is in
    /// the way), would_not_fit (the disk), unavailable (the way there, the disk; is_disk_full()),
    /// upstream_error (the origin, or what it sent).
    asio::awaitable<Result<Fetched>> fetch(std::uint64_t id, Order order, Keeper& keeper);

    /// Errors: as those of fetch(), and payload_too_large.
    asio::awaitable<Result<Answer>> ask(std::uint64_t id, Question question);

    /// Of both; no error when it ended already.
    void stop(std::uint64_t id);
    void limit(std::uint64_t id, std::uint64_t rate, unsigned connections);

    void change(const TransferSettings& settings);

  private:
    struct Pending;

    Result<Engine*> engine();
    void hear(Told told);

    asio::any_io_executor executor_;
    TransferSettings settings_;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Pending*> pending_;  // in the frames of fetch() and ask()
    Mailbox<Told> mailbox_;
    std::unique_ptr<Engine> engine_;
};

}  // namespace routerd::transfer
