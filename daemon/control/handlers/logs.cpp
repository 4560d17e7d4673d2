#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "common/api/log.hpp"
#include "common/base/text.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/event_stream.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/request.hpp"
#include "daemon/supervisor/fleet.hpp"
#include "daemon/telemetry/log_ring.hpp"

namespace routerd::control {
namespace {

struct Wanted {
    std::uint64_t lines = 50;  ///< 0: all that are kept
    std::optional<WallTime> since;
    std::optional<WallTime> until;
    bool follow = false;
};

Result<Wanted> read_query(const Exchange& exchange) {
    Wanted wanted;
    const auto lines = query_number(exchange, "lines", wanted.lines);
    const auto since = query_time(exchange, "since");
    const auto until = query_time(exchange, "until");
    const auto follow = query_flag(exchange, "follow", false);
    if (!lines || !since) {
        return !lines ? lines.error() : since.error();
    }
    if (!until || !follow) {
        return !until ? until.error() : follow.error();
    }
    return Wanted{*lines, *since, *until, *follow};
}

/// The newest `wanted.lines` of those within its times. A line without a time is within.
std::vector<api::LogLine> select(std::vector<api::LogLine> lines, const Wanted& wanted) {
    std::erase_if(lines, [&wanted](const api::LogLine& line) {
        return line.time && ((wanted.since && *line.time < *wanted.since) ||
                             (wanted.until && *line.time > *wanted.until));
    });
    if (wanted.lines != 0 && lines.size() > wanted.lines) {
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(wanted.lines));
    }
    return lines;
}

asio::awaitable<void> send_list(Exchange& exchange, std::vector<api::LogLine> lines) {
    api::LogList list;
    list.items = std::move(lines);
    auto response = json_reply(list);
    co_await exchange.respond(std::move(response));
}

asio::awaitable<bool> send_lines(EventStream& stream, std::vector<api::LogLine> lines) {
    for (const auto& line : lines) {
        const auto text = api::encode(line);
        const bool alive = co_await stream.send("log", text);
        if (!alive) {
            co_return false;
        }
    }
    co_return true;
}

asio::awaitable<void> refuse(Exchange& exchange, Error error) {
    auto response = control_error(error);
    co_await exchange.respond(std::move(response));
}

// The daemon's own log.

std::vector<api::LogLine> lines_after(const LogRing& ring, std::uint64_t& number) {
    std::vector<api::LogLine> lines;
    for (auto& line : ring.after(number)) {
        number = line.number;
        lines.push_back({line.time, std::move(line.text)});
    }
    return lines;
}

asio::awaitable<void> follow_ring(Control& control, Exchange& exchange, Wanted wanted) {
    auto& ring = control.services().log;
    EventStream stream(exchange, control.services().executor);
    bool alive = co_await stream.begin();
    const auto subscription = ring.subscribe([&stream] { stream.wake(); });
    std::uint64_t seen = 0;
    while (alive) {
        auto lines = select(lines_after(ring, seen), wanted);
        wanted.lines = 0;
        alive = co_await send_lines(stream, std::move(lines));
        if (alive) {
            alive = co_await stream.wait();
        }
    }
}

// A model's log.

std::vector<api::LogLine> to_lines(LogPage& page) {
    std::vector<api::LogLine> lines;
    if (page.skipped) {
        lines.push_back({std::nullopt, "[lines are missing here: they were rotated away]"});
    }
    for (auto& line : page.lines) {
        lines.push_back({line.time, std::move(line.text)});
    }
    return lines;
}

LogQuery first_query(const Wanted& wanted) {
    LogQuery query;
    query.since = wanted.since;
    if (wanted.lines != 0 && !wanted.until) {
        query.last_lines = wanted.lines;
    }
    return query;
}

/// Whose log: a model's, and of its servers that one, or the first.
struct Whose {
    std::string model;
    std::uint64_t instance = 0;
};

asio::awaitable<void> wait_growth(Fleet& fleet, Whose whose, std::uint64_t seen) {
    co_await fleet.wait_log(whose.model, seen, TimePoint::max(), whose.instance);
}

asio::awaitable<void> until_gone(EventStream& stream) {
    bool alive = true;
    while (alive) {
        alive = co_await stream.wait();
    }
}

asio::awaitable<void> follow_log(Control& control, Exchange& exchange, Whose whose, Wanted wanted) {
    using namespace boost::asio::experimental::awaitable_operators;
    auto& fleet = control.services().fleet;
    EventStream stream(exchange, control.services().executor);
    bool alive = co_await stream.begin();
    auto query = first_query(wanted);
    while (alive) {
        auto page = co_await fleet.read_log(whose.model, query, whose.instance);
        if (!page) {
            const auto text = api::encode(api::LogLine{std::nullopt, page.error().message()});
            co_await stream.send("log", text);
            co_await stream.finish();
            co_return;
        }
        auto lines = select(to_lines(*page), wanted);
        wanted.lines = 0;
        alive = co_await send_lines(stream, std::move(lines));
        query = LogQuery{};
        query.from = page->next;
        if (alive) {
            const auto seen = page->seen;
            co_await (wait_growth(fleet, whose, seen) || until_gone(stream));
            alive = !stream.gone();
        }
    }
}

asio::awaitable<void> show_log(Control& control, Exchange& exchange, Whose whose) {
    const auto wanted = read_query(exchange);
    if (!wanted) {
        co_await refuse(exchange, wanted.error());
        co_return;
    }
    auto query = first_query(*wanted);
    auto& fleet = control.services().fleet;
    auto page = co_await fleet.read_log(whose.model, query, whose.instance);
    if (!page) {
        co_await refuse(exchange, page.error());
        co_return;
    }
    if (wanted->follow) {
        co_await follow_log(control, exchange, whose, *wanted);
        co_return;
    }
    auto lines = select(to_lines(*page), *wanted);
    co_await send_list(exchange, std::move(lines));
}

Result<Whose> whose_instance(Control& control, const std::string& id) {
    for (const auto& instance : control.services().fleet.instances()) {
        if (instance.id != 0 && std::to_string(instance.id) == id) {
            return Whose{instance.model, instance.id};
        }
    }
    return Error(Errc::not_found, "no instance '" + escaped(id) + "' runs")
        .with_hint("routerctl ps lists what runs; routerctl logs MODEL shows what ended too");
}

}  // namespace

asio::awaitable<void> daemon_log(Control& control, Exchange& exchange) {
    const auto wanted = read_query(exchange);
    if (!wanted) {
        co_await refuse(exchange, wanted.error());
        co_return;
    }
    if (wanted->follow) {
        co_await follow_ring(control, exchange, *wanted);
        co_return;
    }
    std::uint64_t seen = 0;
    auto lines = select(lines_after(control.services().log, seen), *wanted);
    co_await send_list(exchange, std::move(lines));
}

asio::awaitable<void> model_log(Control& control, Exchange& exchange) {
    const auto model = path_model(control, exchange);
    if (!model) {
        co_await refuse(exchange, model.error());
        co_return;
    }
    const Whose whose{(*model)->id, 0};
    co_await show_log(control, exchange, whose);
}

asio::awaitable<void> instance_log(Control& control, Exchange& exchange) {
    const auto whose = whose_instance(control, exchange.param("id"));
    if (!whose) {
        co_await refuse(exchange, whose.error());
        co_return;
    }
    co_await show_log(control, exchange, *whose);
}

}  // namespace routerd::control
