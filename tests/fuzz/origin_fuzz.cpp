// What an origin says of a file, and what is kept of that. The first byte chooses: 0 a URL and, in
// the next line, where a redirect from it leads; 1 the head of an answer, behind a line with what
// was asked for; 2 a list of ranges, with one to add or to remove in each further line. Beside
// crashes and sanitizers' findings, a run fails when what was taken reads otherwise when it is
// written, when a message tells a secret or does not fit a terminal, when other bytes are taken
// than were asked for, or when ranges are not those that a plain set of numbers has.
#include <algorithm>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.hpp"
#include "common/http/url.hpp"
#include "daemon/transfer/extents.hpp"
#include "daemon/transfer/response.hpp"
#include "tests/fuzz/oracle.hpp"

namespace {

using namespace routerd::transfer;
namespace http = routerd::http;
using routerd::Errc;
using routerd::escaped;
using routerd::Result;
using routerd::split;
using routerd::WallTime;
using routerd::fuzz::require;
using routerd::fuzz::take_first_line;

void check_shown(const std::string& text) {
    require(!text.empty() && escaped(text) == text, "what is told fits a terminal");
}

bool is_in(char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
}

void check_good_url(const http::Url& url) {
    const auto& origin = url.origin;
    require(origin.scheme == "http" || origin.scheme == "https", "http alone");
    require(origin.port != 0, "a port");
    require(!origin.host.empty() &&
                origin.host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.:") ==
                    std::string::npos,
            "a host in its one spelling");
    require(url.target.starts_with('/'), "a path");
    require(std::all_of(url.target.begin(), url.target.end(),
                        [](char c) { return c > ' ' && c <= '~' && c != '\\' && c != '#'; }),
            "nothing that ends a request line");
    check_shown(url.shown());
    const auto again = http::parse_url(url.text());
    require(again && again->origin == origin && again->target == url.target,
            "what is written reads the same");
    require(same_origin(url, *again), "one origin");
}

/// `text` with other letters where secrets are: in what is before an '@' and behind a '?' or '#'.
/// Those that numbers and schemes are made of stay.
std::string with_other_secrets(std::string_view text) {
    std::string other(text);
    const auto end = std::min(text.find_first_of("?#"), text.size());
    const auto at = text.substr(0, end).rfind('@');
    const auto scheme = text.find("://");
    const auto begin =
        scheme != std::string_view::npos && at != std::string_view::npos && scheme < at ? scheme + 3
                                                                                        : 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_user = at != std::string_view::npos && i >= begin && i < at;
        if ((is_user || i > end) && is_in(text[i], "gijklmnoqruvwyzGIJKLMNOQRUVWYZ")) {
            other[i] = text[i] == 'q' ? 'k' : 'q';
        }
    }
    return other;
}

/// RFC 3986 5.2.4, step by step: `path` begins with a slash.
std::string without_dot_segments(std::string path) {
    std::string output;
    while (!path.empty()) {
        const bool up = path.starts_with("/../") || path == "/..";
        if (up || path.starts_with("/./") || path == "/.") {
            path = "/" + path.substr(std::min<std::size_t>(up ? 4 : 3, path.size()));
            output.erase(up && !output.empty() ? output.rfind('/') : output.size());
            continue;
        }
        const auto end = std::min(path.find('/', 1), path.size());
        output += path.substr(0, end);
        path.erase(0, end);
    }
    return output;
}

void check_relative(const http::Url& base, std::string_view location, const http::Url& next) {
    require(same_origin(base, next), "what is relative stays at its origin");
    const auto above = base.target.substr(0, base.target.find('?'));
    const auto path = std::string(location.substr(0, location.find_first_of("?#")));
    const auto merged = path.starts_with('/') ? path : above.substr(0, above.rfind('/') + 1) + path;
    require(next.target.substr(0, next.target.find('?')) ==
                (path.empty() ? above : without_dot_segments(merged)),
            "it leads where it says");
}

void check_url(std::string_view text) {
    const auto line = take_first_line(text);
    const auto url = http::parse_url(line);
    if (!url) {
        check_shown(url.error().message());
        require(url.error().code() == Errc::invalid_request, "the URL is at fault");
        const auto other = http::parse_url(with_other_secrets(line));
        require(!other && other.error().message() == url.error().message(), "no secret is told");
        return;
    }
    check_good_url(*url);
    const auto location = take_first_line(text);
    const auto next = http::resolve_location(*url, location);
    if (!next) {
        check_shown(next.error().message());
        require(next.error().code() == Errc::forbidden, "the redirect is at fault");
        return;
    }
    check_good_url(*next);
    const auto first = location.substr(0, location.find_first_of("/?#"));
    if (!location.starts_with("//") && first.find(':') == std::string_view::npos) {
        check_relative(*url, location, *next);
    }
}

/// "100-200 300 "v1"": a range, the size of the file and a tag, as far as they are there.
Asked asked_in(std::string_view line) {
    const auto words = split(line, ' ');
    Asked asked;
    if (const auto ranges = Extents::from_text(words[0]); ranges && !ranges->empty()) {
        asked.range = ranges->ranges().front();
    }
    const auto size = Extents::from_text("0-" + std::string(words.size() > 1 ? words[1] : ""));
    asked.size = size ? std::optional(size->total()) : std::nullopt;
    asked.etag = words.size() > 2 && is_strong(words[2]) ? words[2] : "";
    return asked;
}

void check_taken_part(const ResponseHead& head, const Asked& asked, const Judgement& judgement) {
    const auto part = parse_content_range(head.content_range);
    require(head.status == 206 && part && asked.range, "a part that was asked for");
    require(part->range.begin == asked.range->begin && part->range.end <= asked.range->end,
            "no other bytes than were asked for");
    require(!part->range.empty() && judgement.size == part->total, "some, of a known whole");
    require(part->range.end <= *judgement.size, "and within it");
    require(part->range.end == std::min(asked.range->end, *judgement.size), "all that there are");
    require(!head.length || *head.length == part->range.size(), "as long as it says");
    require(asked.etag.empty() || head.etag.empty() || asked.etag == head.etag, "the same file");
}

void check_taken_whole(const ResponseHead& head, const Asked& asked, const Judgement& judgement) {
    require(head.status == 200, "the whole");
    require(!asked.range || (asked.range->begin == 0 && asked.etag.empty()), "from the start");
    require(judgement.size == head.length && judgement.size != 0U, "not empty");
}

void check_judgement(const ResponseHead& head, const Asked& asked, WallTime now) {
    using Verdict = Judgement::Verdict;
    const auto judgement = judge(head, asked, now);
    const auto verdict = judgement.verdict;
    const bool takes = verdict == Verdict::take || verdict == Verdict::take_whole;
    if (takes) {
        require(!judgement.size || !asked.size || *judgement.size == *asked.size, "as large");
        require(!head.bad_length, "of a length that is one");
        require(
            head.content_encoding.empty() || routerd::iequals(head.content_encoding, "identity"),
            "as it is");
    }
    if (verdict == Verdict::take) {
        check_taken_part(head, asked, judgement);
    } else if (verdict == Verdict::take_whole) {
        check_taken_whole(head, asked, judgement);
    } else if (verdict != Verdict::redirect) {
        check_shown(judgement.error.message());
    }
    require(!judgement.delay || verdict == Verdict::retry, "only what passes is waited for");
}

void check_fields(const ResponseHead& head, WallTime now) {
    using namespace std::chrono_literals;
    const auto delay = parse_retry_after(head.retry_after, now);
    require(!delay || (*delay >= 0s && *delay <= 10min), "a delay that can be waited for");
    require(!is_strong(head.etag) ||
                std::none_of(head.etag.begin(), head.etag.end(),
                             [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }),
            "a tag fits into the head of a request");
    const auto part = parse_content_range(head.content_range);
    if (!part) {
        return;
    }
    require(part->range.begin < part->range.end, "a part is not empty");
    require(!part->total || part->range.end <= *part->total, "a part is within the whole");
    const auto again = parse_content_range("bytes " + std::to_string(part->range.begin) + "-" +
                                           std::to_string(part->range.end - 1) + "/" +
                                           (part->total ? std::to_string(*part->total) : "*"));
    require(again && again->range == part->range && again->total == part->total,
            "a part is what it says");
}

void check_head(std::string_view text) {
    const auto asked = asked_in(take_first_line(text));
    ResponseHead head;
    ResponseHead bare;  // of lines without their breaks
    std::size_t bytes = 0;
    while (!text.empty()) {
        const auto line = take_first_line(text);
        take_line(head, std::string(line) + "\r\n");
        take_line(bare, line);
        bytes += line.size() + 2;
        require(head.bytes <= bytes && head.status <= 999, "no more than came");
    }
    require(head.status == bare.status && head.bytes == bare.bytes && head.length == bare.length &&
                head.etag == bare.etag && head.location == bare.location,
            "line breaks say nothing");
    const auto now = std::chrono::system_clock::from_time_t(784111777);
    check_fields(head, now);
    check_judgement(head, asked, now);
}

/// The numbers below its size, one by one.
using PlainSet = std::bitset<300>;

void change(PlainSet& set, const Range& range, bool adds) {
    for (auto i = range.begin; i < std::min<std::uint64_t>(range.end, set.size()); ++i) {
        set.set(static_cast<std::size_t>(i), adds);
    }
}

void check_ranges(const Extents& extents, const PlainSet& plain) {
    std::uint64_t total = 0;
    PlainSet set;
    const Range* last = nullptr;
    for (const auto& range : extents.ranges()) {
        require(range.begin < range.end, "no range is empty");
        require(last == nullptr || last->end < range.begin, "in order, and none touches another");
        require(extents.end_at(range.begin) == range.end, "to the end of the range");
        require(extents.end_at(range.end) == range.end, "not behind it");
        require(!extents.gap(range.begin, range.end), "no gap in it");
        total += range.size();
        change(set, range, true);
        last = &range;
    }
    require(extents.total() == total, "as many as there are");
    require(set == plain, "those that were put in");
    const auto gap = extents.gap(0, plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const bool in_gap = gap && gap->begin <= i && i < gap->end;
        require(!in_gap || !plain[i], "a gap is one");
        require(in_gap || plain[i] || (gap && gap->begin < i), "the first gap");
    }
    const auto again = Extents::from_text(extents.to_text());
    require(again && *again == extents, "what is written reads the same");
}

void check_extents(std::string_view text) {
    auto extents = Extents::from_text(take_first_line(text));
    if (!extents) {
        check_shown(extents.error().message());
        require(extents.error().code() == Errc::invalid_request, "the text is at fault");
        return;
    }
    PlainSet plain;
    for (const auto& range : extents->ranges()) {
        change(plain, range, true);
    }
    check_ranges(*extents, plain);
    constexpr std::size_t most_ranges = 100;  // of which each is looked at by all
    for (int i = 0; i < 20 && !text.empty() && extents->ranges().size() < most_ranges; ++i) {
        auto line = take_first_line(text);
        const bool adds = !line.starts_with('-');
        line.remove_prefix(line.empty() || (adds && line.front() != '+') ? 0 : 1);
        const auto change_text = Extents::from_text(line);
        for (const auto& range : change_text ? change_text->ranges() : std::vector<Range>()) {
            change(plain, range, adds);
            if (adds) {
                extents->add(range);
            } else {
                extents->remove(range);
            }
            require(adds ? !extents->gap(range.begin, range.end)
                         : extents->gap(range.begin, range.end) == range,
                    "done");
        }
        check_ranges(*extents, plain);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return routerd::fuzz::check_one(routerd::fuzz::text_of(data, size),
                                    {check_url, check_head, check_extents});
}
