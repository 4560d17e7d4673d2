#include "daemon/telemetry/request_history.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "daemon/net/turn_time.hpp"
#include "daemon/store/store.hpp"

namespace routerd {
namespace {

constexpr std::size_t usual_error = 160;  // bytes

/// With room for what it will hold one day: the heap is not to grow for hours.
void make_room(RequestRow& row) {
    row.error.reserve(usual_error);
}

/// A text keeps its room, so that a row that is used again allocates nothing.
void put(std::string& text, std::string_view value, std::size_t longest) {
    text.assign(value.substr(0, longest));
}

}  // namespace

RequestHistory::RequestHistory(const asio::any_io_executor& executor, Store& store, Limits limits)
    : store_(store),
      limits_(limits),
      work_(executor),
      hurried_(executor),
      tasks_(executor, "request history") {}

asio::awaitable<Result<void>> RequestHistory::start() {
    auto ask = [](Database& database) { return RequestRepository(database).last_id(); };
    const auto last = co_await store_.run(std::move(ask));
    if (!last) {
        co_return last.error().within("read the history of requests");
    }
    last_id_ = *last;
    tasks_.spawn(keep_writing());
    co_return boost::system::in_place_value;
}

asio::awaitable<void> RequestHistory::stop() {
    stopping_ = true;
    work_.notify();
    hurried_.notify();
    co_await tasks_.wait();
}

RequestRow& RequestHistory::next_slot() {
    if (rows_.size() < limits_.kept) {
        newest_ = rows_.size();
        make_room(rows_.emplace_back());
        return rows_.back();
    }
    newest_ = newest_ + 1 == rows_.size() ? 0 : newest_ + 1;
    return rows_[newest_];
}

const RequestRow& RequestHistory::recent(std::size_t i) const noexcept {
    return rows_[i <= newest_ ? newest_ - i : newest_ + rows_.size() - i];
}

void RequestHistory::add(const FinishedRequest& request) {
    auto& row = next_slot();
    row.id = ++last_id_;
    row.started = turn_wall_now() - request.took;
    put(row.request, request.request, limits_.longest);
    put(row.endpoint, request.endpoint, limits_.longest);
    put(row.model, request.model, limits_.longest);
    put(row.error, request.error, limits_.longest);
    row.status = request.status;
    row.stream = request.stream;
    row.bytes = request.bytes;
    row.prompt_tokens = request.prompt_tokens;
    row.completion_tokens = request.completion_tokens;
    row.tokens_per_second = request.tokens_per_second;
    row.queued = request.queued;
    row.loaded = request.loaded;
    row.first_byte = request.first_byte;
    row.took = request.took;
    if (unwritten_++ == 0) {
        work_.notify();
    }
    grown_.tell();
}

/// When those are written whose first came now.
TimePoint RequestHistory::write_at() const noexcept {
    const auto soon = steady_now() + limits_.delay;
    return written_at_ ? std::max(soon, *written_at_ + limits_.interval) : soon;
}

asio::awaitable<void> RequestHistory::keep_writing() {
    while (unwritten_ > 0 || !stopping_) {
        if (unwritten_ == 0) {
            co_await work_.wait();
        } else {
            const auto end = stopping_ ? TimePoint::min() : write_at();
            co_await hurried_.wait_until(end);
            co_await write();
        }
    }
}

asio::awaitable<void> RequestHistory::write() {
    const auto count = unwritten_;
    const auto size = take_batch();
    skipped_ += count - size;
    auto add_all = [batch = batch_, size](Database& database) {
        return RequestRepository(database).add(std::span(*batch).first(size));
    };
    const auto written = co_await store_.run(std::move(add_all));
    written_at_ = steady_now();
    report(written, size);
}

/// Adds those of the newest `there` that failed, or that did not, while there is room for them.
void RequestHistory::choose(bool failed, std::size_t there,
                            std::vector<const RequestRow*>& chosen) const {
    for (std::size_t i = 0; i < there && chosen.size() < limits_.written; ++i) {
        if (recent(i).error.empty() != failed) {
            chosen.push_back(&recent(i));
        }
    }
}

/// Failures first, then the newest; in the order of their ids. Says how many they are.
std::size_t RequestHistory::take_batch() {
    const auto there = std::min(std::exchange(unwritten_, 0), rows_.size());
    std::vector<const RequestRow*> chosen;
    chosen.reserve(std::min(there, limits_.written));
    choose(true, there, chosen);
    choose(false, there, chosen);
    std::sort(chosen.begin(), chosen.end(),
              [](const auto* a, const auto* b) { return a->id < b->id; });
    while (batch_->size() < chosen.size()) {
        make_room(batch_->emplace_back());
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        (*batch_)[i] = *chosen[i];
    }
    return chosen.size();
}

/// A disk that is full stays so for a while: that is said once.
void RequestHistory::report(const Result<void>& outcome, std::size_t count) {
    if (!outcome) {
        skipped_ += count;
        if (!std::exchange(failing_, true)) {
            spdlog::warn("write the history of requests: {}, going on without",
                         escaped(outcome.error().message()));
        }
    } else if (std::exchange(failing_, false)) {
        spdlog::info("the history of requests is written again");
    }
}

asio::awaitable<Result<std::vector<RequestRow>>> RequestHistory::newest(RequestFilter filter) {
    std::vector<RequestRow> found;
    for (std::size_t i = 0; i < rows_.size() && found.size() < filter.limit; ++i) {
        if (filter.wants(recent(i))) {
            found.push_back(recent(i));
        }
    }
    if (found.size() == filter.limit) {
        co_return found;
    }
    if (!rows_.empty()) {
        const auto oldest = recent(rows_.size() - 1).id;
        filter.before = std::min(filter.before.value_or(oldest), oldest);
    }
    filter.limit -= found.size();
    auto ask = [filter](Database& database) { return RequestRepository(database).newest(filter); };
    auto older = co_await store_.run(std::move(ask));
    if (!older) {
        co_return older.error();
    }
    std::move(older->begin(), older->end(), std::back_inserter(found));
    co_return found;
}

std::vector<RequestRow> RequestHistory::after(std::uint64_t id) const {
    std::vector<RequestRow> found;
    for (std::size_t i = 0; i < rows_.size() && recent(i).id > id; ++i) {
        found.push_back(recent(i));
    }
    std::reverse(found.begin(), found.end());
    return found;
}

}  // namespace routerd
