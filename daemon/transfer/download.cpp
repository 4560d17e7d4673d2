#include "daemon/transfer/download.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <utility>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::transfer {
namespace {

using Verdict = Judgement::Verdict;

constexpr std::uint64_t smallest_part = std::uint64_t{1} << 20U;
constexpr std::uint64_t largest_part = std::uint64_t{8} << 20U;
constexpr std::uint64_t record_each = std::uint64_t{1} << 20U;
constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t receive_buffer = std::size_t{256} << 10U;
constexpr unsigned most_hops = 10;
constexpr unsigned most_changes = 3;
constexpr unsigned most_restarts = 12;
constexpr unsigned most_renewals = 70;  // all connections of a file may meet the same refusal
constexpr unsigned most_status_failures = 10;
constexpr unsigned most_first_failures = 6;
constexpr unsigned endless = std::numeric_limits<unsigned>::max();

/// Longer each time, and not the same for all who lost the same origin.
std::chrono::milliseconds backoff(unsigned failures) {
    constexpr double first = 100;
    constexpr double longest = 60'000;
    constexpr unsigned doublings = 10;
    const auto base = first * static_cast<double>(1U << std::min(failures, doublings));
    static thread_local std::minstd_rand random(std::random_device{}());
    std::uniform_real_distribution<double> jitter(0.75, 1.25);
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(std::min(base, longest) * jitter(random)));
}

}  // namespace

Download::Download(Engine& engine, std::uint64_t id, Order order)
    : engine_(engine),
      id_(id),
      order_(std::move(order)),
      size_(order_.size ? order_.size : order_.record.size),
      count_(order_.connections) {
    bucket_.set_rate(order_.limit_rate, steady_now());
    open(order_.record.written.empty() ? PartFile::Begin::fresh : PartFile::Begin::resume);
}

Download::~Download() = default;

void Download::stop() {
    if (!ending_) {
        fail(Error(Errc::cancelled, "stopped"));
    }
}

void Download::limit(std::uint64_t rate, unsigned connections) {
    order_.connections = connections;
    bucket_.set_rate(rate, steady_now());
    count_.set_most(connections);
}

void Download::recorded(std::uint64_t written) {
    kept_ = written;
    awaits_record_ = false;
}

unsigned Download::running() const noexcept {
    return static_cast<unsigned>(
        std::ranges::count_if(lanes_, [](const Lane& lane) { return lane.request.is_running(); }));
}

/// Where the bytes begin that are missed first.
std::uint64_t Download::window_base() const {
    return is_catching_up() ? written_.end_at(0) : frontier_;
}

std::optional<Range> Download::next_range() const {
    const auto share = engine_.memory_share();
    const auto wanted = proved_ ? count_.wanted() : 1U;
    const auto part = std::clamp(share / (std::uint64_t{2} * wanted), smallest_part, largest_part);
    const auto window = window_base() + share;
    auto range = taken_.gap(0, size_ ? std::min(*size_, window) : part);
    if (range) {
        range->end = std::min(range->end, range->begin + part);
    }
    return range;
}

Lane& Download::idle_lane() {
    for (auto& lane : lanes_) {
        if (!lane.request.is_running()) {
            return lane;
        }
    }
    const Request::Options options{engine_.settings().proxy, receive_buffer};
    return lanes_.emplace_back(static_cast<Lane::Owner&>(*this), engine_.curl(), engine_.multi(),
                               options);
}

void Download::start_lanes(TimePoint now) {
    if (now < retry_at_) {
        return;
    }
    const auto& url = final_url_ ? *final_url_ : order_.url;
    const auto hops = final_url_ ? 1U : 0U;
    if (!ranges_) {
        if (running() == 0 && arrived_ == 0) {
            start(idle_lane(), url, {0, size_.value_or(no_end)}, true, hops);
        }
        return;
    }
    while (!ending_ && running() < (proved_ ? count_.wanted() : 1U)) {
        const auto range = next_range();
        if (!range) {
            return;
        }
        taken_.add(*range);
        start(idle_lane(), url, *range, false, hops);
    }
}

void Download::start(Lane& lane, http::Url url, Range range, bool whole, unsigned hops) {
    std::vector<std::string> headers{"Accept-Encoding: identity"};
    if (!whole) {
        headers.push_back("Range: bytes=" + std::to_string(range.begin) + "-" +
                          std::to_string(range.end - 1));
        if (!etag_.empty()) {
            headers.push_back("If-Range: " + etag_);
        }
    }
    if (!order_.token.empty() && same_origin(url, order_.url)) {
        headers.push_back("Authorization: Bearer " + order_.token);
    }
    lane.whole = whole;
    lane.hops = hops;
    lane.range = range;
    lane.position = range.begin;
    lane.head = {};
    lane.judgement.reset();
    lane.takes = false;
    lane.wasted = 0;
    lane.error.reset();
    lane.last_byte = steady_now();
    lane.url = std::move(url);
    if (const auto failed = lane.request.start(*lane.url, headers, order_.policy)) {
        fail(*failed);
    }
}

/// What it brought is kept; what it did not bring is to be asked for again.
void Download::end_lane(Lane& lane) {
    lane.request.end();
    if (lane.block) {
        flush(lane);
    }
    if (!lane.whole) {
        taken_.remove(lane.rest());
    }
    lane.range.end = lane.position;
}

void Download::end_lanes() {
    for (auto& lane : lanes_) {
        if (lane.request.is_running()) {
            end_lane(lane);
        }
    }
}

bool Download::finish(const CURL* easy, CURLcode code) {
    const auto lane =
        std::ranges::find_if(lanes_, [easy](const Lane& one) { return one.request.owns(easy); });
    if (lane == lanes_.end()) {
        return false;
    }
    through(*lane, code);
    return true;
}

void Download::through(Lane& lane, CURLcode code) {
    const auto missing = lane.rest();
    const bool takes = lane.takes;
    std::optional<Error> error = lane.error;
    if (!error && code != CURLE_OK && (!lane.judgement || takes)) {
        error = lane.request.failure(code);
    }
    end_lane(lane);
    if (ending_ || restarting_) {
        return;
    }
    if (!takes && lane.judgement && !lane.error) {
        in_vain(lane, *lane.judgement);
    } else if (error && error->code() != Errc::unavailable) {
        fail(*error);
    } else if (error && lane.whole) {
        restart("");
        trouble(*error, std::nullopt, most_status_failures);
    } else if (error || (!lane.whole && !missing.empty())) {
        trouble(error.value_or(Error(Errc::unavailable, "the origin ended a part too early")),
                std::nullopt, may_wait() ? endless : most_first_failures);
    } else if (lane.whole) {
        through_whole(lane);
    }
}

/// Nothing tells a file that was cut from one that is whole, but its length or its digest.
void Download::through_whole(Lane& lane) {
    const bool is_framed = lane.head.length || lane.head.chunked;
    if (!size_ && !is_framed && !order_.has_digest) {
        fail(Error(Errc::upstream_error,
                   "the origin does not say how long the file is, so that a part of it would look "
                   "like all of it")
                 .with_hint("say what it is to be, with --sha256"));
        return;
    }
    if (size_ && lane.position != *size_) {
        fail(Error(Errc::upstream_error, "the origin sends " + std::to_string(lane.position) +
                                             " bytes in place of " + std::to_string(*size_)));
        return;
    }
    size_ = lane.position;
}

void Download::in_vain(Lane& lane, const Judgement& judgement) {
    switch (judgement.verdict) {
        case Verdict::redirect:
            follow(lane);
            return;
        case Verdict::changed:
            if (++changes_ > most_changes) {
                fail(judgement.error);
                return;
            }
            restart("the file changed at its origin: begun anew");
            return;
        case Verdict::no_ranges:
            if (!ranges_) {
                fail(judgement.error);
                return;
            }
            ranges_ = false;
            restart(written_.empty() ? "" : judgement.error.message() + ": begun anew");
            return;
        case Verdict::retry:
            trouble(judgement.error, judgement.delay, most_status_failures);
            return;
        case Verdict::unwelcome:
            refused_there(lane, judgement.error);
            return;
        case Verdict::take:
        case Verdict::take_whole:
        case Verdict::fail:
            fail(judgement.error);
            return;
    }
}

/// A signed address expires; the one that led to it may lead to another.
void Download::refused_there(Lane& lane, const Error& error) {
    if (arrived_ > arrived_then_) {
        arrived_then_ = arrived_;
        renewals_ = 0;
    }
    if (lane.hops == 0 || !answered_ || ++renewals_ > most_renewals) {
        fail(error);
        return;
    }
    final_url_.reset();
    proved_ = false;  // one connection finds the way for all
}

void Download::follow(Lane& lane) {
    if (lane.hops >= most_hops) {
        fail(Error(Errc::upstream_error, "the origin redirects in circles"));
        return;
    }
    auto next = http::resolve_location(*lane.url, lane.head.location);
    const auto allowed = next ? order_.policy.check(*next) : Result<void>(next.error());
    if (!allowed) {
        fail(allowed.error().within("follow a redirect of '" + lane.url->origin.host + "'"));
        return;
    }
    const auto hops = lane.hops + 1;
    if (lane.whole) {
        start(lane, std::move(*next), {0, size_.value_or(no_end)}, true, hops);
        return;
    }
    const auto range = next_range();
    if (range) {
        taken_.add(*range);
        start(lane, std::move(*next), *range, false, hops);
    }
}

/// Something that may pass. Of connections that fail together, one counts.
void Download::trouble(const Error& error, std::optional<std::chrono::seconds> delay,
                       unsigned most) {
    const auto now = steady_now();
    if (now < retry_at_) {
        return;
    }
    if (arrived_ > arrived_then_) {
        failures_ = 0;
        renewals_ = 0;
    }
    arrived_then_ = arrived_;
    ++failures_;
    if (failures_ >= most) {
        fail(error);
        return;
    }
    retry_at_ = now + (delay ? std::chrono::milliseconds(*delay) : backoff(failures_));
    if (failures_ > 1 || delay) {
        trouble_ = error.message();
    }
}

/// Forgets all that is here; what is under way is waited for first.
void Download::restart(std::string note) {
    if (!note.empty()) {
        note_ = std::move(note);
    }
    restarting_ = true;
    end_lanes();
    if (++restarts_ > most_restarts) {
        fail(Error(Errc::upstream_error, "the file is another one each time it is asked for"));
    }
}

void Download::fail(Error error) {
    if (ending_) {
        return;
    }
    ending_ = std::move(error);
    end_lanes();
}

void Download::check_stalls(TimePoint now) {
    const auto longest = engine_.settings().stall_timeout;
    for (auto& lane : lanes_) {
        if (lane.request.is_paused()) {
            lane.last_byte = now;  // it is we who do not listen
        }
        if (lane.request.is_running() && now - lane.last_byte > longest) {
            break_off(lane, longest);
        }
    }
}

void Download::break_off(Lane& lane, std::chrono::milliseconds silence) {
    const bool whole = lane.whole;
    end_lane(lane);
    if (whole) {
        restart("");
    }
    trouble(Error(Errc::unavailable, "the origin sent nothing for " + format_duration(silence)),
            std::nullopt, may_wait() && !whole ? endless : most_first_failures);
}

void Download::resume_paused(TimePoint now) {
    for (auto& lane : lanes_) {
        if (lane.request.is_paused() && may_take(lane, now)) {
            lane.request.resume();
        }
    }
}

TimePoint Download::due(TimePoint now) {
    auto due = TimePoint::max();
    const bool is_paused =
        std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.request.is_paused(); });
    if (is_paused) {
        due = std::max(bucket_.due(now), engine_.bucket().due(now));
        // What else holds it back ends with a message that wakes the engine.
        due = due <= now ? TimePoint::max() : due;
    }
    return retry_at_ > now ? std::min(due, retry_at_) : due;
}

void Download::step(TimePoint now) {
    if (over_) {
        return;
    }
    if (ending_) {
        report(now);
        wind_down();
        return;
    }
    if (!file_) {
        return;  // it is being opened
    }
    if (restarting_) {
        if (jobs_ == 0) {
            open(PartFile::Begin::fresh);
        }
        return;
    }
    resume_paused(now);
    check_stalls(now);
    if (!restarting_ && !ending_) {
        count_.observe(arrived_, running(), now);
        start_lanes(now);
        pump_digest();
        sync_if_due(now);
        report(now);
        finish_if_whole();
    }
}

void Download::tell_record() {
    Told told;
    told.id = id_;
    told.record =
        Record{etag_, size_, ranges_ ? written_ : Extents(), ranges_ ? synced_ : Extents()};
    told_ = written_.total();
    told_synced_ = synced_.total();
    awaits_record_ = true;
    engine_.tell(std::move(told));
}

void Download::report(TimePoint now) {
    constexpr auto live_each = std::chrono::milliseconds(100);
    constexpr auto record_at_least_each = std::chrono::seconds(1);
    const auto total = written_.total();
    if (ranges_ && !awaits_record_ && file_ && total != told_ &&
        (total >= told_ + record_each || now - told_at_ >= record_at_least_each)) {
        told_at_ = now;
        tell_record();
    }
    if (now - live_at_ < live_each) {
        return;
    }
    live_at_ = now;
    Told told;
    told.id = id_;
    told.live = Live{.done = total,
                     .size = size_,
                     .connections = running(),
                     .verifying = size_ && total == *size_,
                     .trouble = trouble_,
                     .note = note_};
    engine_.tell(std::move(told));
}

/// Tells of what there is, and then that it is over.
void Download::wind_down() {
    if (jobs_ > 0) {
        return;
    }
    if (ranges_ && file_ && synced_ != written_ && ending_->code() == Errc::cancelled) {
        synced_at_ = {};
        sync_if_due(steady_now());
        return;
    }
    if (awaits_record_) {
        return;
    }
    if (ranges_ && file_ && (written_.total() != told_ || synced_.total() != told_synced_)) {
        tell_record();
        return;
    }
    for (auto& [offset, block] : pending_) {
        engine_.blocks().give(std::move(block));
    }
    pending_.clear();
    over_ = true;
    Told told;
    told.id = id_;
    told.end = Result<Fetched>(*ending_);
    engine_.tell(std::move(told));
}

}  // namespace routerd::transfer
