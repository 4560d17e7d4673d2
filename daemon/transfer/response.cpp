#include "daemon/transfer/response.hpp"

#include <algorithm>
#include <ctime>

#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::transfer {
namespace {

using Verdict = Judgement::Verdict;

constexpr std::uint64_t largest_file = std::uint64_t{1} << 62U;
constexpr std::chrono::seconds longest_delay = std::chrono::minutes(10);

void take_length(ResponseHead& head, std::string_view value) {
    const auto length = number_in<std::uint64_t>(value);
    const bool good =
        length && *length <= largest_file && (!head.length || *head.length == *length);
    head.bad_length = head.bad_length || !good;
    head.length = length;
}

void take_field(ResponseHead& head, std::string_view name, std::string_view value) {
    const std::string text(value);
    if (iequals(name, "content-length")) {
        take_length(head, value);
    } else if (iequals(name, "transfer-encoding")) {
        head.chunked = true;
    } else if (iequals(name, "content-range")) {
        head.content_range = text;
    } else if (iequals(name, "content-type")) {
        head.content_type = text;
    } else if (iequals(name, "content-encoding")) {
        head.content_encoding = text;
    } else if (iequals(name, "etag")) {
        head.etag = text;
    } else if (iequals(name, "location")) {
        head.location = text;
    } else if (iequals(name, "retry-after")) {
        head.retry_after = text;
    }
}

Judgement fails(Verdict verdict, Errc code, std::string message) {
    Judgement judgement;
    judgement.verdict = verdict;
    judgement.error = Error(code, std::move(message));
    return judgement;
}

Judgement answers_in_vain(const ResponseHead& head, WallTime now) {
    constexpr unsigned too_many = 429;
    constexpr unsigned timed_out = 408;
    constexpr unsigned server_fault = 500;
    const auto status = std::to_string(head.status);
    if (head.status == too_many || head.status == timed_out || head.status >= server_fault) {
        auto judgement =
            fails(Verdict::retry, Errc::upstream_error, "the origin answers with status " + status);
        judgement.delay = parse_retry_after(head.retry_after, now);
        return judgement;
    }
    constexpr unsigned unauthorized = 401;
    constexpr unsigned forbidden = 403;
    constexpr unsigned not_found = 404;
    constexpr unsigned gone = 410;
    if (head.status == unauthorized || head.status == forbidden) {
        auto judgement = fails(Verdict::unwelcome, Errc::forbidden,
                               "the origin refuses it with status " + status);
        judgement.error =
            judgement.error.with_hint("give a token with --token-file, or set HF_TOKEN");
        return judgement;
    }
    if (head.status == not_found || head.status == gone) {
        return fails(Verdict::unwelcome, Errc::not_found,
                     "the origin does not have it (status " + status + ")");
    }
    return fails(Verdict::fail, Errc::upstream_error, "the origin answers with status " + status);
}

/// Whether the file is another one than that of which parts are here.
bool is_another(const ResponseHead& head, const Asked& asked) {
    return !asked.etag.empty() && !head.etag.empty() && head.etag != asked.etag;
}

std::string bytes_text(std::uint64_t bytes) {
    auto text = std::to_string(bytes);
    text.append(" bytes");
    return text;
}

/// The whole file, from its first byte.
Judgement judge_whole(const ResponseHead& head, const Asked& asked) {
    if (asked.range && (asked.range->begin > 0 || !asked.etag.empty())) {
        return is_another(head, asked) ? fails(Verdict::changed, Errc::conflict, "the file changed")
                                       : fails(Verdict::no_ranges, Errc::upstream_error,
                                               "the origin sends whole files only");
    }
    if (head.length && asked.size && *head.length != *asked.size) {
        return fails(Verdict::fail, Errc::upstream_error,
                     "the origin sends " + bytes_text(*head.length) + " in place of " +
                         bytes_text(*asked.size));
    }
    if (head.length && *head.length == 0) {
        return fails(Verdict::fail, Errc::upstream_error, "the origin sends an empty file");
    }
    Judgement judgement;
    judgement.verdict = Verdict::take_whole;
    judgement.size = head.length;
    return judgement;
}

Judgement judge_part(const ResponseHead& head, const Asked& asked) {
    const auto part = parse_content_range(head.content_range);
    if (!asked.range || !part || !part->total) {
        return fails(Verdict::no_ranges, Errc::upstream_error,
                     "the origin sends a part without saying which");
    }
    if (is_another(head, asked) || (asked.size && *part->total != *asked.size)) {
        return fails(Verdict::changed, Errc::conflict, "the file changed at its origin");
    }
    const Range wanted{asked.range->begin, std::min(asked.range->end, *part->total)};
    if (part->range != wanted || (head.length && *head.length != wanted.size())) {
        return fails(Verdict::no_ranges, Errc::upstream_error,
                     "the origin sends another part than was asked for");
    }
    Judgement judgement;
    judgement.verdict = Verdict::take;
    judgement.size = part->total;
    return judgement;
}

bool is_redirect(unsigned status) {
    constexpr unsigned moved = 301;
    constexpr unsigned found = 302;
    constexpr unsigned see_other = 303;
    constexpr unsigned temporary = 307;
    constexpr unsigned permanent = 308;
    return status == moved || status == found || status == see_other || status == temporary ||
           status == permanent;
}

}  // namespace

void take_line(ResponseHead& head, std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
        line.remove_suffix(1);
    }
    if (line.starts_with("HTTP/")) {
        const auto bytes = head.bytes + line.size();
        const auto blank = line.find(' ');
        head = {};
        head.bytes = bytes;
        constexpr std::size_t digits = 3;
        head.status =
            blank == std::string_view::npos
                ? 0
                : static_cast<unsigned>(
                      number_in<std::uint64_t>(line.substr(blank + 1, digits)).value_or(0));
        return;
    }
    head.bytes += line.size() + 2;
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        take_field(head, line.substr(0, colon), trim(line.substr(colon + 1)));
    }
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
    constexpr std::string_view unit = "bytes ";
    if (!text.starts_with(unit)) {
        return std::nullopt;
    }
    text.remove_prefix(unit.size());
    const auto dash = text.find('-');
    const auto slash = text.find('/');
    if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) {
        return std::nullopt;
    }
    const auto first = number_in<std::uint64_t>(text.substr(0, dash));
    const auto last = number_in<std::uint64_t>(text.substr(dash + 1, slash - dash - 1));
    const auto total = number_in<std::uint64_t>(text.substr(slash + 1));
    const bool good =
        first && last && *first <= *last && *last < largest_file &&
        (total ? *last < *total && *total <= largest_file : text.substr(slash + 1) == "*");
    return good ? std::optional(ContentRange{{*first, *last + 1}, total}) : std::nullopt;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, WallTime now) {
    using std::chrono::seconds;
    if (const auto count = number_in<std::uint64_t>(text)) {
        return *count > static_cast<std::uint64_t>(longest_delay.count())
                   ? longest_delay
                   : seconds(static_cast<seconds::rep>(*count));
    }
    std::tm parts{};
    const std::string date(text);
    const char* const end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end != date.c_str() + date.size()) {
        return std::nullopt;
    }
    // In seconds: some mean "never" by the year 9999, which is beyond WallTime's nanoseconds.
    const std::chrono::sys_seconds at{seconds(::timegm(&parts))};
    const auto delay = at - std::chrono::floor<seconds>(now);
    return std::clamp(delay, seconds(0), longest_delay);
}

bool is_strong(std::string_view etag) noexcept {
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
    return etag.size() > 2 && etag.front() == '"' && etag.back() == '"' &&
           std::none_of(etag.begin(), etag.end(), is_control);
}

Judgement judge(const ResponseHead& head, const Asked& asked, WallTime now) {
    constexpr unsigned ok = 200;
    constexpr unsigned part = 206;
    constexpr unsigned no_such_range = 416;
    if (is_redirect(head.status)) {
        Judgement judgement;
        judgement.verdict = Verdict::redirect;
        return judgement;
    }
    if (head.status == no_such_range && asked.range) {
        return fails(Verdict::no_ranges, Errc::upstream_error,
                     "the origin does not have that part (status 416)");
    }
    if (head.status != ok && head.status != part) {
        return answers_in_vain(head, now);
    }
    if (!head.content_encoding.empty() && !iequals(head.content_encoding, "identity")) {
        return fails(Verdict::fail, Errc::upstream_error,
                     "the origin sends it compressed ('" + escaped(head.content_encoding) +
                         "'), which was not asked for");
    }
    if (head.bad_length) {
        return fails(Verdict::fail, Errc::upstream_error,
                     "the origin says a length that no file has");
    }
    return head.status == part ? judge_part(head, asked) : judge_whole(head, asked);
}

}  // namespace routerd::transfer
