// The part of a download that takes what its connections bring.
#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>

#include "common/base/text.hpp"
#include "daemon/transfer/download.hpp"

namespace routerd::transfer {
namespace {

using Taken = Request::Sink::Taken;
using Verdict = Judgement::Verdict;

constexpr std::uint64_t most_unrecorded = std::uint64_t{7} << 20U;
constexpr std::uint64_t beside_the_window = std::uint64_t{8}
                                            << 20U;  // blocks on their way to the disk
constexpr std::uint64_t no_length = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t most_waste = std::size_t{64} << 10U;
constexpr std::string_view magic = "GGUF";

}  // namespace

void Download::on_head(Lane& lane) {
    const Asked asked{lane.whole ? std::nullopt : std::optional(lane.range), size_, etag_};
    lane.judgement = judge(lane.head, asked, std::chrono::system_clock::now());
    const auto verdict = lane.judgement->verdict;
    if (verdict == Verdict::take || verdict == Verdict::take_whole) {
        accept(lane);
    }
}

/// From now on its body is the file's.
void Download::accept(Lane& lane) {
    answered_ = true;
    lane.takes = true;
    const auto told_size = lane.judgement->size;
    if (lane.judgement->verdict == Verdict::take_whole) {
        ranges_ = false;
        lane.whole = true;
        lane.range = {0, told_size.value_or(size_.value_or(no_length))};
    } else {
        taken_.remove({*told_size, lane.range.end});  // nothing is there
        lane.range.end = std::min(lane.range.end, *told_size);
    }
    if (told_size && !size_) {
        size_ = told_size;
        allocate(*size_);
    }
    if (is_strong(lane.head.etag)) {
        etag_ = lane.head.etag;
    }
    if (lane.hops > 0) {
        final_url_ = lane.url;
    }
    proved_ = proved_ || !written_.empty();
    trouble_.clear();
}

/// A model file begins with these four bytes (the GGUF specification, File Structure).
bool Download::has_right_start(const Lane& lane, std::span<const char> data) const {
    for (std::size_t i = 0; i < data.size() && lane.position + i < magic.size(); ++i) {
        if (data[i] != magic[lane.position + i]) {
            return false;
        }
    }
    return true;
}

bool Download::may_take(const Lane& lane, TimePoint now) {
    const bool is_recorded = !ranges_ || arrived_ - kept_ < most_unrecorded;
    const bool has_room = blocks_ * Block::capacity < engine_.memory_share() + beside_the_window ||
                          lane.position == window_base();
    return is_recorded && has_room && bucket_.may_take(now) && engine_.bucket().may_take(now);
}

Taken Download::on_body(Lane& lane, std::span<const char> data) {
    if (!lane.takes) {
        lane.wasted += data.size();
        return lane.wasted > most_waste ? Taken::refused : Taken::all;
    }
    if (data.size() > lane.rest().size()) {
        lane.error = Error(Errc::upstream_error, "the origin sends more than it said");
        return Taken::refused;
    }
    if (!has_right_start(lane, data)) {
        lane.error =
            Error(Errc::upstream_error, "what the origin sends is no GGUF file (its type is '" +
                                            escaped(lane.head.content_type) + "')");
        return Taken::refused;
    }
    const auto now = steady_now();
    if (!may_take(lane, now)) {
        return Taken::later;
    }
    bucket_.take(data.size());
    engine_.bucket().take(data.size());
    lane.last_byte = now;
    store(lane, data);
    proved_ = proved_ || lane.position >= magic.size();
    return Taken::all;
}

void Download::store(Lane& lane, std::span<const char> data) {
    arrived_ += data.size();
    while (!data.empty()) {
        if (!lane.block) {
            lane.block = engine_.blocks().take(lane.position);
            ++blocks_;
        }
        auto& block = *lane.block;
        const auto count = std::min(data.size(), Block::capacity - block.size);
        std::copy_n(data.begin(), count,
                    block.data.begin() + static_cast<std::ptrdiff_t>(block.size));
        block.size += count;
        lane.position += count;
        data = data.subspan(count);
        if (block.size == Block::capacity) {
            flush(lane);
        }
    }
}

}  // namespace routerd::transfer
