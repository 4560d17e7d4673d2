#include "daemon/pull/file_work.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "common/base/text.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/process/identity.hpp"
#include "daemon/store/store.hpp"
#include "daemon/transfer/part_file.hpp"
#include "daemon/transfer/whole_file.hpp"

namespace routerd::pull {
namespace {

using transfer::Extents;
using transfer::Fetched;
using transfer::PartFile;

Error is_another(const std::string& path) {
    return Error(Errc::conflict, "'" + escaped(path) + "' is there already, and is another file")
        .with_hint("move it, or set another [pull] dir");
}

/// What of a part can be relied on: after another boot only what had reached the disk.
transfer::Record record_of(const TransferRow& row) {
    transfer::Record record;
    record.etag = row.etag;
    record.size = row.size;
    const auto now = boot_id();
    const auto written =
        Extents::from_text(!now.empty() && row.boot_id == now ? row.written : row.synced);
    const auto synced = Extents::from_text(row.synced);
    if (written && synced) {
        record.written = *written;
        record.synced = *synced;
    }
    return record;
}

}  // namespace

FileWork::FileWork(Services services, FileOrder order)
    : services_(std::move(services)), order_(std::move(order)), id_(services_.transfers.next_id()) {
    view_.size = order_.file.size;
    view_.sha256 = order_.file.sha256;
}

void FileWork::stop() {
    stopping_ = true;
    services_.transfers.stop(id_);
}

void FileWork::limit(std::uint64_t rate, unsigned connections) {
    order_.limit_rate = rate;
    order_.connections = connections;
    services_.transfers.limit(id_, rate, connections);
}

asio::awaitable<Result<void>> FileWork::run() {
    const auto here = co_await is_here();
    if (!here) {
        co_return here.error();
    }
    if (!*here) {
        const auto brought = co_await bring();
        if (!brought) {
            co_return brought.error();
        }
    }
    view_.is_complete = true;
    view_.is_verifying = false;
    view_.connections = 0;
    view_.rate = 0;
    view_.done = view_.size.value_or(view_.done);
    view_.trouble.clear();
    services_.changed();
    co_return Result<void>();
}

/// Of a file that is there the digest decides where it is known, and else its size; where neither
/// is, it is taken to be the one that was brought before.
asio::awaitable<Result<bool>> FileWork::is_here() {
    const auto with =
        order_.file.sha256.empty() ? transfer::WithDigest::no : transfer::WithDigest::yes;
    auto look = [root = order_.root, path = order_.file.path, size = order_.file.size,
                 with]() -> Result<std::optional<transfer::WholeFile>> {
        auto found = transfer::look_at(root, path, transfer::WithDigest::no);
        const bool may_be_it = found && *found && (!size || (*found)->size == *size);
        return may_be_it && with == transfer::WithDigest::yes ? transfer::look_at(root, path, with)
                                                              : found;
    };
    const auto found = co_await run_on(services_.pool, std::move(look));
    if (!found) {
        co_return found.error();
    }
    if (!*found) {
        co_return false;
    }
    const auto& file = order_.file;
    const auto& whole = **found;
    if ((file.size && whole.size != *file.size) ||
        (!file.sha256.empty() && whole.sha256 != file.sha256)) {
        co_return is_another(path());
    }
    view_.size = whole.size;
    view_.done = whole.size;
    view_.note = "'" + escaped(path()) + "' is here already";
    co_return true;
}

asio::awaitable<Result<void>> FileWork::bring() {
    view_.is_begun = true;
    Result<Fetched> fetched = Fetched();
    if (order_.file.local.empty()) {
        fetched = co_await fetch();
    } else {
        fetched = co_await copy();
    }
    if (!fetched) {
        const auto error = fetched.error();
        if (error.code() != Errc::cancelled && view_.done == 0) {
            co_await throw_away();
        }
        co_return error;
    }
    if (!order_.file.sha256.empty() && fetched->sha256 != order_.file.sha256) {
        co_await throw_away();
        co_return Error(Errc::upstream_error,
                        "what came is not what was to come, and was removed: its SHA-256 is " +
                            fetched->sha256 + ", not " + order_.file.sha256)
            .with_hint("pull it again; if it stays so, tell who offers it");
    }
    view_.sha256 = fetched->sha256;
    view_.size = fetched->size;
    co_return co_await publish(fetched->size);
}

Result<transfer::Order> FileWork::transfer_order(const std::optional<TransferRow>& kept) const {
    auto url = http::parse_url(order_.file.url);
    const auto allowed = url ? order_.policy.check(*url) : Result<void>(url.error());
    if (!allowed) {
        const auto error = allowed.error();
        return order_.typed ? error.with_hint(error.hint() + ", or pull it with --insecure")
                            : error;
    }
    transfer::Order order{.url = std::move(*url),
                          .token = order_.token,
                          .policy = order_.policy,
                          .root = order_.root,
                          .path = order_.file.path,
                          .size = order_.file.size,
                          .has_digest = !order_.file.sha256.empty(),
                          .connections = order_.connections,
                          .limit_rate = order_.limit_rate,
                          .patient = order_.patient,
                          .record = {}};
    if (kept) {
        order.record = record_of(*kept);
    }
    return order;
}

asio::awaitable<Result<Fetched>> FileWork::fetch() {
    auto read = [path = path()](Database& database) {
        return TransferRepository(database).find(path);
    };
    const auto kept = co_await services_.store.run(read);
    if (!kept) {
        co_return kept.error();
    }
    if (*kept && !(*kept)->sha256.empty() && (*kept)->size) {
        co_return Fetched{*(*kept)->size, (*kept)->sha256};  // only its name was missing
    }
    auto order = transfer_order(*kept);
    if (!order) {
        co_return order.error();
    }
    if (stopping_) {
        co_return Error(Errc::cancelled, "stopped");
    }
    view_.done = order->record.written.total();
    auto fetched = co_await services_.transfers.fetch(id_, std::move(*order), *this);
    if (fetched) {
        TransferRow row;
        row.path = path();
        row.size = fetched->size;
        row.sha256 = fetched->sha256;
        const auto saved = co_await save(std::move(row));
        if (!saved) {
            co_return saved.error();
        }
    }
    co_return fetched;
}

/// On the pool, for it reads and writes all of it.
asio::awaitable<Result<Fetched>> FileWork::copy() {
    const auto home = co_await asio::this_coro::executor;
    auto told = [this, home, due = steady_now()](std::uint64_t done) mutable {
        if (steady_now() >= due) {
            due = steady_now() + std::chrono::milliseconds(100);
            asio::post(home, [this, done] { note_progress(done); });
        }
        return !stopping_;
    };
    auto work = [source = order_.file.local, root = order_.root, path = order_.file.path, told] {
        return transfer::copy_to_part(source, root, path, told);
    };
    const auto copied = co_await run_on(services_.pool, std::move(work));
    if (!copied) {
        co_return copied.error();
    }
    co_return Fetched{copied->size, copied->sha256};
}

asio::awaitable<Result<void>> FileWork::publish(std::uint64_t size) {
    auto work = [root = order_.root, path = order_.file.path, size] {
        auto part = PartFile::open(root, path, PartFile::Begin::resume);
        return part ? part->publish(size) : Result<void>(part.error());
    };
    auto published = co_await run_on(services_.pool, std::move(work));
    if (!published && published.error().code() == Errc::not_found) {
        // The name was given, and the process ended before that was written down.
        const auto here = co_await is_here();
        if (here && *here) {
            published = Result<void>();
        }
    }
    if (!published) {
        co_return published.error();
    }
    auto forget = [path = path()](Database& database) {
        return TransferRepository(database).remove(path);
    };
    co_return co_await services_.store.run(forget);
}

/// What cannot be removed now is in the way of the next try, which says so.
asio::awaitable<void> FileWork::throw_away() {
    auto remove = [root = order_.root, path = order_.file.path] {
        return transfer::remove_part(root, path);
    };
    const auto removed = co_await run_on(services_.pool, std::move(remove));
    auto forget = [path = path()](Database& database) {
        return TransferRepository(database).remove(path);
    };
    const auto forgotten = co_await services_.store.run(forget);
    static_cast<void>(removed);
    static_cast<void>(forgotten);
    view_.done = 0;
}

asio::awaitable<Result<void>> FileWork::save(TransferRow row) {
    auto write = [row = std::move(row)](Database& database) {
        return TransferRepository(database).save(row);
    };
    co_return co_await services_.store.run(std::move(write));
}

asio::awaitable<Result<void>> FileWork::keep(transfer::Record record) {
    TransferRow row;
    row.path = path();
    row.etag = record.etag;
    row.size = record.size;
    row.written = record.written.to_text();
    row.synced = record.synced.to_text();
    row.boot_id = boot_id();
    view_.done = record.written.total();
    view_.size = record.size ? record.size : view_.size;
    co_return co_await save(std::move(row));
}

void FileWork::on_live(const transfer::Live& live) {
    view_.size = live.size ? live.size : view_.size;
    view_.connections = live.connections;
    view_.is_verifying = live.verifying;
    view_.trouble = live.trouble;
    view_.note = live.note;
    note_progress(live.done);
}

void FileWork::note_progress(std::uint64_t done) {
    constexpr auto window = std::chrono::seconds(3);
    const auto now = steady_now();
    if (!progress_.empty() && done < progress_.back().second) {
        progress_.clear();  // begun anew
    }
    progress_.emplace_back(now, done);
    while (progress_.size() > 2 && now - progress_.front().first > window) {
        progress_.pop_front();
    }
    const auto took = std::chrono::duration<double>(now - progress_.front().first).count();
    const auto came = static_cast<double>(done - progress_.front().second);
    view_.rate = took > 0 ? static_cast<std::uint64_t>(came / took) : 0;
    view_.done = done;
    services_.changed();
}

}  // namespace routerd::pull
