#include "daemon/transfer/transfers.hpp"

#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "daemon/net/signal.hpp"
#include "daemon/transfer/engine.hpp"

namespace routerd::transfer {

/// What was told of a transfer and not yet looked at: the latest of each kind.
struct Transfers::Pending {
    explicit Pending(const asio::any_io_executor& executor) : told_of(executor) {}

    Signal told_of;
    std::optional<Live> live;
    std::optional<Record> record;
    std::optional<Result<Fetched>> end;
    std::optional<Result<Answer>> answer;
};

Transfers::Transfers(const asio::any_io_executor& executor, TransferSettings settings)
    : executor_(executor),
      settings_(std::move(settings)),
      mailbox_(executor, [this](Told&& told) { hear(std::move(told)); }) {}

Transfers::~Transfers() = default;

Result<Engine*> Transfers::engine() {
    if (!engine_) {
        const auto curl = load_curl();
        if (!curl) {
            return curl.error();
        }
        engine_ = std::make_unique<Engine>(
            **curl, settings_,
            [address = mailbox_.address()](Told told) { address.send(std::move(told)); });
    }
    return engine_.get();
}

void Transfers::hear(Told told) {
    const auto found = pending_.find(told.id);
    if (found == pending_.end()) {
        return;
    }
    auto& pending = *found->second;
    const auto renew = [](auto& old, auto& value) {
        if (value) {
            old = std::move(value);
        }
    };
    renew(pending.live, told.live);
    renew(pending.record, told.record);
    renew(pending.end, told.end);
    renew(pending.answer, told.answer);
    pending.told_of.notify();
}

asio::awaitable<Result<Fetched>> Transfers::fetch(std::uint64_t id, Order order, Keeper& keeper) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const auto engine = this->engine();
    if (!engine) {
        co_return engine.error();
    }
    Pending pending(executor_);
    pending_[id] = &pending;
    (*engine)->fetch(id, std::move(order));
    std::optional<Error> not_kept;
    while (!pending.end || pending.record) {
        co_await pending.told_of.wait();
        if (pending.live) {
            keeper.on_live(*std::exchange(pending.live, std::nullopt));
        }
        while (pending.record) {
            auto record = *std::exchange(pending.record, std::nullopt);
            const auto total = record.written.total();
            const auto kept = co_await keeper.keep(std::move(record));
            if (!kept && !not_kept) {
                not_kept = kept.error();
                (*engine)->stop(id);
            }
            (*engine)->recorded(id, total);
        }
    }
    pending_.erase(id);
    if (not_kept) {
        co_return *not_kept;
    }
    co_return std::move(*pending.end);
}

asio::awaitable<Result<Answer>> Transfers::ask(std::uint64_t id, Question question) {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const auto engine = this->engine();
    if (!engine) {
        co_return engine.error();
    }
    Pending pending(executor_);
    pending_[id] = &pending;
    (*engine)->ask(id, std::move(question));
    while (!pending.answer) {
        co_await pending.told_of.wait();
    }
    pending_.erase(id);
    co_return std::move(*pending.answer);
}

void Transfers::stop(std::uint64_t id) {
    if (engine_) {
        engine_->stop(id);
    }
}

void Transfers::limit(std::uint64_t id, std::uint64_t rate, unsigned connections) {
    if (engine_) {
        engine_->limit(id, rate, connections);
    }
}

void Transfers::change(const TransferSettings& settings) {
    settings_ = settings;
    if (engine_) {
        engine_->change(settings);
    }
}

}  // namespace routerd::transfer
