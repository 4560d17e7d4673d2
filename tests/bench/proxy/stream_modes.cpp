// The modes that are made of streams: whole ones, ones whose client leaves, parked ones.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/proxy/streams.hpp"

namespace bench {
namespace {

std::uint64_t after(double seconds) {
    return now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
}

void pause_for(double seconds) {
    const auto ns = static_cast<std::uint64_t>(seconds * 1e9);
    const timespec span{static_cast<time_t>(ns / 1'000'000'000),
                        static_cast<long>(ns % 1'000'000'000)};
    ::nanosleep(&span, nullptr);
}

/// The stand-in's /stats, asked for on a connection of its own; empty when there is no answer.
std::string ask_for_stats(std::uint64_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string body;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        constexpr std::string_view request = "GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n";
        ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
        ResponseReader reader;
        std::array<char, 65536> buffer{};
        ssize_t got = 1;
        while (got > 0 && !reader.done() && !reader.bad()) {
            got = ::recv(fd, buffer.data(), buffer.size(), 0);
            reader.take({buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, got))},
                        [&body](std::string_view piece) { body += piece; });
        }
    }
    ::close(fd);
    return body;
}

/// When the stand-in saw each of the requests `first_id`… leave it; 0: not yet.
std::vector<std::uint64_t> seen_to_leave(const std::string& stats, std::uint64_t first_id,
                                         std::size_t count) {
    std::vector<std::uint64_t> seen(count, 0);
    const auto* end = stats.data() + stats.size();
    for (auto at = stats.find("[["); at != std::string::npos; at = stats.find(",[", at)) {
        at += 2;
        std::uint64_t id = 0;
        std::uint64_t ns = 0;
        const auto comma = std::from_chars(stats.data() + at, end, id).ptr;
        std::from_chars(comma + 1, end, ns);
        if (id >= first_id && id - first_id < count) {
            seen[id - first_id] = ns;
        }
    }
    return seen;
}

/// Leaves each stream after some tokens.
class Leaving : public Streams {
  public:
    explicit Leaving(const Options& options) : Streams(options), after_(options.leave_after) {}

  protected:
    void on_progress(Peer& peer) override {
        if (!stream(peer).is_over && stream(peer).tokens >= after_) {
            leave(peer);
        }
    }

  private:
    std::uint64_t after_;
};

/// Leaves unanswered requests once all have arrived, all at once: the hardest way for who has to
/// pass it on.
void leave_waiting(Streams& streams, const Options& options) {
    const auto limit = after(options.timeout);
    const auto arrived = [&options] {
        return number_field(ask_for_stats(options.stats_port), "open").value_or(0);
    };
    while (arrived() < options.connections && now_ns() < limit) {
        streams.client().turn(after(0.02));
    }
    for (const auto& peer : streams.client().peers()) {
        if (peer->is_busy()) {
            streams.leave(*peer);
        }
    }
}

int report_leaving(Streams& streams, const std::vector<std::uint64_t>& seen,
                   std::uint64_t still_open, const Meter& meter) {
    Times times;
    std::uint64_t left = 0;
    std::uint64_t noticed = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const auto left_ns = streams.streams()[i].left_ns;
        left += left_ns != 0 ? 1U : 0U;
        if (left_ns != 0 && seen[i] != 0) {
            ++noticed;
            times.add(seen[i] - std::min(seen[i], left_ns));
        }
    }
    Report report;
    report.text("mode", "abort");
    streams.report(report);
    report.number("left", static_cast<double>(left));
    report.number("not_seen", static_cast<double>(seen.size() - noticed));
    report.number("still_open", static_cast<double>(still_open));
    times.report(report, "seen_after");
    meter.report(report, static_cast<double>(left), "stream");
    report.print();
    return noticed == seen.size() && still_open == 0 ? 0 : 1;
}

/// Keeps each stream open once its first token has come.
class Parking : public Streams {
  public:
    using Streams::Streams;

  protected:
    bool is_enough() const override { return parked_ >= streams().size(); }
    void on_progress(Peer& peer) override {
        if (stream(peer).tokens == 1 && !stream(peer).is_over) {
            ++parked_;
        }
    }

  private:
    std::size_t parked_ = 0;
};

}  // namespace

int run_stream(const Options& options) {
    auto asked = options;
    asked.ask.stream = true;
    Streams streams(asked);
    Meter meter(options.pids, options.helpers);
    const auto begin = now_ns();
    meter.start();
    streams.run(options.timeout);
    meter.stop();
    const auto seconds = static_cast<double>(now_ns() - begin) / 1e9;
    streams.end_all("not at its end in time");
    Report report;
    report.text("mode", "stream");
    streams.report(report);
    report.number("tokens_per_s", static_cast<double>(streams.tokens()) / seconds);
    meter.report(report, static_cast<double>(streams.tokens()), "token");
    report.print();
    return streams.broken() == 0 ? 0 : 1;
}

int run_abort(const Options& options) {
    auto asked = options;
    asked.ask.stream = !options.unary;
    asked.ask.tokens = 1'000'000;
    asked.ask.delay_us = options.unary ? 30'000'000 : 0;
    Leaving streams(asked);
    Meter meter(options.pids, options.helpers);
    meter.start();
    streams.run(options.unary ? 0.2 : options.timeout);
    if (options.unary) {
        leave_waiting(streams, options);
    }
    std::vector<std::uint64_t> seen;
    std::uint64_t still_open = 0;
    const auto limit = after(3);
    do {
        pause_for(0.01);
        const auto stats = ask_for_stats(options.stats_port);
        if (stats.empty()) {
            std::fprintf(stderr, "load: ask the stand-in on 127.0.0.1:%lu for /stats: no answer\n",
                         static_cast<unsigned long>(options.stats_port));
            return 2;
        }
        seen = seen_to_leave(stats, streams.first_id(), streams.streams().size());
        still_open = number_field(stats, "open").value_or(0);
    } while ((std::ranges::find(seen, 0U) != seen.end() || still_open > 0) && now_ns() < limit);
    meter.stop();
    return report_leaving(streams, seen, still_open, meter);
}

int run_idle(const Options& options) {
    auto asked = options;
    asked.ask.stream = !options.unary;
    asked.ask.tokens = 2;
    asked.ask.interval_us = 600'000'000;  // the second one does not come
    Meter meter(options.pids, options.helpers);
    const auto before = meter.target_rss_kib();
    Parking streams(asked);
    streams.run(options.timeout);
    pause_for(0.3);
    meter.start();
    pause_for(options.seconds);
    meter.stop();
    const auto grown = static_cast<double>(meter.target_rss_kib()) - static_cast<double>(before);
    streams.client().turn(now_ns());  // what was closed meanwhile
    const auto& peers = streams.client().peers();
    const auto held =
        std::ranges::count_if(peers, [](const auto& peer) { return peer->is_open(); });
    Report report;
    report.text("mode", "idle");
    report.number("connections", static_cast<double>(peers.size()));
    report.number("held", static_cast<double>(held));
    report.number("broken", static_cast<double>(streams.broken()));
    report.number("rss_before_kib", static_cast<double>(before));
    report.number("kib_per_connection", held > 0 ? grown / static_cast<double>(held) : 0);
    meter.report(report, 1, "hold");
    report.print();
    return static_cast<std::size_t>(held) == peers.size() && streams.broken() == 0 ? 0 : 1;
}

}  // namespace bench
