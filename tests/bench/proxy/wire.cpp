#include "tests/bench/proxy/wire.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

namespace bench {
namespace {

constexpr std::size_t stamp_digits = 20;
constexpr std::size_t sequence_digits = 8;
constexpr std::string_view stamp_name = "\"stamp\":\"";

/// What a stream says, over and over: words of several lengths, some of which look like the end of
/// a stream or like usage to who does not read JSON.
constexpr std::array<std::string_view, 8> words{
    " the",     R"(\n\ndata: [DONE]\n\n)",
    " router",  R"( {\"usage\":{\"completion_tokens\":3}})",
    "é日本",    ",",
    R"( \\\")", " streaming"};

/// All events of a stream but for stamp and sequence; `digits_at` is where these begin.
struct Template {
    std::string text;
    std::size_t digits_at = 0;
};

Template make_template(std::string_view word) {
    Template made;
    made.text = R"(data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":")";
    made.text += word;
    made.text += R"("}}],"created":1763730000,"id":"chatcmpl-bench","model":"m1",)";
    made.text += R"("object":"chat.completion.chunk",)";
    made.text += stamp_name;
    made.digits_at = made.text.size();
    made.text += std::string(stamp_digits, '0') + "." + std::string(sequence_digits, '0');
    made.text += "\"}\n\n";
    return made;
}

const Template& template_of(std::uint64_t sequence) {
    static const auto all = [] {
        std::array<Template, words.size()> made;
        for (std::size_t i = 0; i < words.size(); ++i) {
            made[i] = make_template(words[i]);
        }
        return made;
    }();
    return all[sequence % words.size()];
}

void put_digits(char* last, std::size_t count, std::uint64_t value) {
    for (; count > 0; --count, value /= 10) {
        *--last = static_cast<char>('0' + value % 10);
    }
}

std::optional<std::uint64_t> number(std::string_view digits) {
    std::uint64_t value = 0;
    const auto* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

/// Whether a token's event is, apart from stamp and sequence, what was sent.
bool is_unaltered(std::string_view event, const Template& sent) {
    const auto digits_end = sent.digits_at + stamp_digits + 1 + sequence_digits;
    const auto text = std::string_view(sent.text).substr(0, sent.text.size() - 2);
    return event.size() == text.size() &&
           event.substr(0, sent.digits_at) == text.substr(0, sent.digits_at) &&
           event.substr(digits_end) == text.substr(digits_end);
}

EventRead read_token(std::string_view event, std::size_t digits_at, std::uint64_t expected) {
    if (event.size() < digits_at + stamp_digits + 1 + sequence_digits) {
        return {Event::altered, 0};
    }
    const auto stamp = number(event.substr(digits_at, stamp_digits));
    const auto sequence = number(event.substr(digits_at + stamp_digits + 1, sequence_digits));
    if (!stamp || !sequence) {
        return {Event::altered, 0};
    }
    if (*sequence != expected) {
        return {*sequence > expected ? Event::missing : Event::repeated, *stamp};
    }
    return {is_unaltered(event, template_of(expected)) ? Event::token : Event::altered, *stamp};
}

}  // namespace

std::uint64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t sum_of(std::string_view bytes) {
    constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;
    std::uint64_t sum = bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const auto taken = std::min(bytes.size(), sizeof word);
        std::memcpy(&word, bytes.data(), taken);
        sum = (sum ^ word) * factor;
        sum ^= sum >> 29U;
        bytes.remove_prefix(taken);
    }
    return sum >> 12U;  // what a JSON number holds exactly
}

std::optional<std::uint64_t> number_field(std::string_view json, std::string_view name) {
    const auto key = "\"" + std::string(name) + "\":";
    const auto at = json.find(key);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const auto value = json.substr(at + key.size());
    return number(value.substr(0, value.find_first_not_of("0123456789")));
}

Ask read_ask(std::string_view body) {
    // make_body() writes the fields first; the text behind them is not looked at.
    const auto fields = body.substr(0, body.substr(0, 1024).find("\"messages\""));
    Ask ask;
    ask.id = number_field(fields, "bench_id").value_or(ask.id);
    ask.tokens = number_field(fields, "bench_tokens").value_or(ask.tokens);
    ask.interval_us = number_field(fields, "bench_interval_us").value_or(ask.interval_us);
    ask.batch = std::max<std::uint64_t>(1, number_field(fields, "bench_batch").value_or(ask.batch));
    ask.delay_us = number_field(fields, "bench_delay_us").value_or(ask.delay_us);
    ask.reply = number_field(fields, "bench_reply").value_or(ask.reply);
    ask.stream = fields.find("\"stream\":true") != std::string_view::npos;
    return ask;
}

std::string make_body(const Ask& ask, const std::string& model, std::uint64_t bytes) {
    const auto field = [](const char* name, std::uint64_t value) {
        return "\"" + std::string(name) + "\":" + std::to_string(value) + ",";
    };
    std::string body = R"({"model":")" + model + "\",";
    body += field("bench_id", ask.id) + field("bench_tokens", ask.tokens) +
            field("bench_interval_us", ask.interval_us) + field("bench_batch", ask.batch) +
            field("bench_delay_us", ask.delay_us) + field("bench_reply", ask.reply);
    body += ask.stream ? R"("stream":true,"stream_options":{"include_usage":true},)"
                       : R"("stream":false,)";
    body += R"("messages":[{"role":"system","content":"Be brief."},{"role":"user","content":")";
    constexpr std::string_view text =
        R"(Is \"model\":\"other\" in {\"stream\":true} a key? C:\\dir\\, naïve 東京 [1, 2];\n)";
    constexpr std::string_view end = R"("}],"temperature":0.7})";
    while (body.size() + text.size() + end.size() <= bytes) {
        body += text;
    }
    if (body.size() + end.size() < bytes) {
        body.append(bytes - body.size() - end.size(), 'x');
    }
    return body.append(end);
}

void append_chunk(std::string& to, std::string_view text) {
    std::array<char, 18> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
    to.append(size.data(), end).append("\r\n").append(text).append("\r\n");
}

void append_token(std::string& to, std::uint64_t sequence, std::uint64_t at_ns) {
    const auto& event = template_of(sequence);
    append_chunk(to, event.text);
    auto* digits = to.data() + to.size() - 2 - event.text.size() + event.digits_at;
    put_digits(digits + stamp_digits, stamp_digits, at_ns);
    put_digits(digits + stamp_digits + 1 + sequence_digits, sequence_digits, sequence);
}

std::string receipt(std::string_view request_body) {
    return "\"bench_length\":" + std::to_string(request_body.size()) +
           ",\"bench_sum\":" + std::to_string(sum_of(request_body));
}

std::string usage_event(std::uint64_t tokens, const std::string& receipt) {
    const auto count = std::to_string(tokens);
    return R"(data: {"choices":[],"created":1763730000,"id":"chatcmpl-bench","model":"m1",)"
           R"("object":"chat.completion.chunk","usage":{"completion_tokens":)" +
           count + R"(,"prompt_tokens":64,"total_tokens":)" + std::to_string(tokens + 64) + "}," +
           receipt + "}\n\n";
}

EventRead read_event(std::string_view event, std::uint64_t expected) {
    if (event.starts_with(':')) {
        return {Event::comment, 0};
    }
    if (event == "data: [DONE]") {
        return {Event::done, 0};
    }
    // Most events are the expected token, whole: then the place of its stamp is known.
    const auto usual = template_of(expected).digits_at;
    if (event.substr(0, usual).ends_with(stamp_name)) {
        return read_token(event, usual, expected);
    }
    if (const auto at = event.find(stamp_name); at != std::string_view::npos) {
        return read_token(event, at + stamp_name.size(), expected);
    }
    if (event.find("\"usage\":{") != std::string_view::npos) {
        return {Event::usage, 0};
    }
    return {
        event.find("\"finish_reason\"") != std::string_view::npos ? Event::other : Event::altered,
        0};
}

}  // namespace bench
