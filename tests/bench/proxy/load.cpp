// Loads a proxy and says how it did, as one line of JSON. Exit status: 1 when an answer was wrong.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include "tests/bench/proxy/client.hpp"

namespace {

using bench::Options;

constexpr const char* help =
    R"(usage: load MODE --port N [OPTION...]
  unary    answers that come whole: one after the other on each connection, or with --rate R at R a
           second, whose time runs from when they were due
  stream   streams, each checked for every token, its order and its end; what is not right is broken
  abort    clients that leave after --leave-after tokens (with --unary: while they wait for the
           answer), and when the stand-in's /stats on --stats-port says that it saw it
  idle     parked streams (with --unary: kept connections without a request), and the memory of each
Of the target: --port N, --key KEY, --model NAME, --tls, --pids P,P (the proxy's), --helpers P,P (of
who answers behind it; not counted as strangers).
Of the load: --connections N, --body BYTES, --seconds S, --warmup S, --timeout S, --ramp-ms MS.
Of the answers: --tokens N, --interval-us US, --batch N, --delay-us US, --reply BYTES.
)";

bool read(std::string_view text, std::uint64_t& value) {
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end;
}

bool read(std::string_view text, double& value) {
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end && value >= 0;
}

bool read(std::string_view text, std::string& value) {
    value = text;
    return true;
}

bool read(std::string_view text, std::vector<pid_t>& pids) {
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(','));
        std::uint64_t pid = 0;
        if (!read(word, pid)) {
            return false;
        }
        pids.push_back(static_cast<pid_t>(pid));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return true;
}

using Readers = std::map<std::string_view, std::function<bool(std::string_view)>>;

Readers readers_of(Options& o) {
    const auto into = [](auto& field) {
        return [&field](std::string_view text) { return read(text, field); };
    };
    return {{"--port", into(o.port)},
            {"--key", into(o.key)},
            {"--model", into(o.model)},
            {"--connections", into(o.connections)},
            {"--body", into(o.body)},
            {"--seconds", into(o.seconds)},
            {"--warmup", into(o.warmup)},
            {"--rate", into(o.rate)},
            {"--timeout", into(o.timeout)},
            {"--ramp-ms", into(o.ramp_ms)},
            {"--leave-after", into(o.leave_after)},
            {"--stats-port", into(o.stats_port)},
            {"--tokens", into(o.ask.tokens)},
            {"--interval-us", into(o.ask.interval_us)},
            {"--batch", into(o.ask.batch)},
            {"--delay-us", into(o.ask.delay_us)},
            {"--reply", into(o.ask.reply)},
            {"--pids", into(o.pids)},
            {"--helpers", into(o.helpers)}};
}

/// Empty, or what is wrong.
std::string read_options(int argc, char** argv, Options& options) {
    const auto readers = readers_of(options);
    options.mode = argc > 1 ? argv[1] : "";
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--tls" || word == "--unary") {
            (word == "--tls" ? options.tls : options.unary) = true;
            continue;
        }
        const auto found = readers.find(word);
        if (found == readers.end()) {
            return "unknown option '" + word + "'";
        }
        if (++i == argc || !found->second(argv[i])) {
            return word + " wants another value than '" + (i < argc ? argv[i] : "") + "'";
        }
    }
    return options.port == 0 ? "no --port was named" : "";
}

}  // namespace

int main(int argc, char** argv) {
    const std::map<std::string, int (*)(const Options&)> modes{{"unary", bench::run_unary},
                                                               {"stream", bench::run_stream},
                                                               {"abort", bench::run_abort},
                                                               {"idle", bench::run_idle}};
    Options options;
    const auto wrong = read_options(argc, argv, options);
    const auto mode = modes.find(options.mode);
    if (!wrong.empty() || mode == modes.end()) {
        const auto what = mode == modes.end() ? "no mode '" + options.mode + "'" : wrong;
        std::fprintf(stderr, "load: %s\n%s", what.c_str(), help);
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);  // TLS writes without MSG_NOSIGNAL
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return mode->second(options);
}
