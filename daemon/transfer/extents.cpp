#include "daemon/transfer/extents.hpp"

#include <algorithm>

#include "common/base/number.hpp"
#include "common/base/text.hpp"

namespace routerd::transfer {
namespace {

std::optional<Range> range_in(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto begin = number_in<std::uint64_t>(text.substr(0, dash));
    const auto end = number_in<std::uint64_t>(text.substr(dash + 1));
    return begin && end && *begin < *end ? std::optional(Range{*begin, *end}) : std::nullopt;
}

}  // namespace

void Extents::add(Range range) {
    if (range.empty()) {
        return;
    }
    const auto first = std::ranges::find_if(
        ranges_, [&range](const Range& one) { return one.end >= range.begin; });
    auto last = first;
    while (last != ranges_.end() && last->begin <= range.end) {
        range.begin = std::min(range.begin, last->begin);
        range.end = std::max(range.end, last->end);
        ++last;
    }
    const auto place = ranges_.erase(first, last);
    ranges_.insert(place, range);
}

void Extents::remove(Range range) {
    if (range.empty()) {
        return;
    }
    std::vector<Range> left;
    const auto keep = [&left](Range part) {
        if (!part.empty()) {
            left.push_back(part);
        }
    };
    for (const auto& one : ranges_) {
        keep({one.begin, std::min(one.end, range.begin)});
        keep({std::max(one.begin, range.end), one.end});
    }
    ranges_ = std::move(left);
}

std::uint64_t Extents::total() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& one : ranges_) {
        sum += one.size();
    }
    return sum;
}

std::uint64_t Extents::end_at(std::uint64_t offset) const noexcept {
    for (const auto& one : ranges_) {
        if (one.begin <= offset && offset < one.end) {
            return one.end;
        }
    }
    return offset;
}

std::optional<Range> Extents::gap(std::uint64_t from, std::uint64_t limit) const noexcept {
    for (const auto& one : ranges_) {
        if (from < one.begin) {
            break;
        }
        from = std::max(from, one.end);
    }
    if (from >= limit) {
        return std::nullopt;
    }
    Range found{from, limit};
    for (const auto& one : ranges_) {
        if (one.begin > from) {
            found.end = std::min(found.end, one.begin);
            break;
        }
    }
    return found;
}

std::string Extents::to_text() const {
    std::string text;
    for (const auto& one : ranges_) {
        text += text.empty() ? "" : ",";
        text += std::to_string(one.begin) + "-" + std::to_string(one.end);
    }
    return text;
}

Result<Extents> Extents::from_text(std::string_view text) {
    Extents extents;
    std::uint64_t last = 0;
    for (const auto part : text.empty() ? std::vector<std::string_view>() : split(text, ',')) {
        const auto range = range_in(part);
        if (!range || (range->begin <= last && !extents.empty())) {
            return Error(Errc::invalid_request, "'" + escaped(text) + "' is no list of ranges");
        }
        last = range->end;
        extents.ranges_.push_back(*range);
    }
    return extents;
}

}  // namespace routerd::transfer
