#include "daemon/proxy/pipeline.hpp"

#include <charconv>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/http/error_response.hpp"
#include "daemon/proxy/resolve.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds silent_wait(2);  // a quick failure keeps its own status
constexpr seconds comment_interval(5);
constexpr milliseconds end_grace(100);  // a broken connection is seen before the process's end
constexpr std::size_t largest_error = 64U << 10U;  // bytes of a server's error body that we read

Result<Priority> parse_priority(std::string_view text) {
    if (iequals(text, "high")) {
        return Priority::high;
    }
    if (iequals(text, "normal")) {
        return Priority::normal;
    }
    if (iequals(text, "low")) {
        return Priority::low;
    }
    return Error(Errc::invalid_request,
                 "X-Request-Priority is '" + escaped(text) + "', not high, normal or low");
}

Result<milliseconds> parse_timeout(std::string_view text) {
    double value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    constexpr double longest = 7.0 * 86'400;  // s
    if (text.empty() || error != std::errc{} || stop != end || !(value > 0) || value > longest) {
        return Error(Errc::invalid_request, "X-Request-Timeout is '" + escaped(text) +
                                                "', not a number of seconds up to a week");
    }
    return milliseconds(static_cast<std::int64_t>(value * 1000));
}

/// The content types that carry JSON; none at all is taken for JSON too.
bool is_json(const http::RequestHead& head) {
    const auto type = head.find("content-type");
    if (!type) {
        return true;
    }
    const auto media = to_lower(trim(type->substr(0, type->find(';'))));
    return media == "application/json" || media.ends_with("+json");
}

/// The sentence in an error body of llama-server's, or what there is of it.
std::string upstream_message(const std::string& body) {
    const auto document = nlohmann::json::parse(body, nullptr, false);
    if (document.is_object() && document.contains("error")) {
        const auto& error = document["error"];
        if (error.is_object() && error.contains("message") && error["message"].is_string()) {
            return error["message"].get<std::string>();
        }
        if (error.is_string()) {
            return error.get<std::string>();
        }
    }
    return body.empty() ? "the model's server gave no reason" : body.substr(0, 500);
}

/// Nearest code for a status that came from a model's server.
Errc code_for(unsigned status) noexcept {
    if (status == 404) {
        return Errc::not_found;
    }
    return status < 500 ? Errc::invalid_request : Errc::upstream_error;
}

bool passes(std::string_view name) noexcept {
    // Ours to say, or (llama-server's CORS) not for it to say.
    return !iequals(name, "content-length") && !iequals(name, "content-type") &&
           !iequals(name, "server") && !iequals(name, "date") && !iequals(name, "x-request-id") &&
           !to_lower(name.substr(0, 15)).starts_with("access-control-");
}

}  // namespace

bool Pipeline::speaks_events() const noexcept {
    return peeked_.stream && !kind_.raw;
}

Result<std::shared_ptr<const Model>> Pipeline::resolve_model() {
    std::optional<std::string> name;
    if (kind_.raw) {
        name = exchange_.param("model");
    } else if (kind_.model_in_query) {
        name = exchange_.query("model");
    } else {
        if (!is_json(exchange_.head())) {
            return Error(Errc::invalid_request,
                         "content type '" +
                             escaped(exchange_.head().find("content-type").value_or("")) +
                             "' is not supported here")
                .with_hint("send JSON with content-type: application/json");
        }
        auto found = peek_padded(exchange_.body());
        if (!found) {
            return found.error();
        }
        peeked_ = std::move(*found);
        account_.record.stream = peeked_.stream;
        name = peeked_.model;
    }
    return resolve(*proxy_.services_.catalog(), proxy_.services_.fleet, name);
}

Result<std::string_view> Pipeline::prepare_body(const Model& model) {
    const auto& settings = model.settings;
    const bool has_rules = !settings.set.empty() || (settings.strip && !settings.strip->empty());
    if (!has_rules || kind_.raw || kind_.model_in_query) {
        return exchange_.body();
    }
    auto rewritten = rewrite_padded(exchange_.body(), settings.set,
                                    settings.strip.value_or(std::vector<std::string>{}));
    if (!rewritten) {
        return rewritten.error();
    }
    rewritten_ = std::move(*rewritten);
    return std::string_view(rewritten_);
}

Result<Demand> Pipeline::make_demand(const Model& model) const {
    Demand demand;
    demand.model = model.id;
    demand.request_id = exchange_.id();
    demand.key = exchange_.key();
    if (model.settings.instances.value_or(1) > 1) {
        demand.conversation = conversation_of(peeked_.opening);
    }
    demand.needs_slot = kind_.needs_slot && (!kind_.raw || exchange_.head().method == "POST");
    if (const auto text = exchange_.head().find("x-request-priority")) {
        const auto priority = parse_priority(*text);
        if (!priority) {
            return priority.error();
        }
        demand.priority = *priority;
    }
    if (const auto text = exchange_.head().find("x-request-timeout")) {
        const auto timeout = parse_timeout(*text);
        if (!timeout) {
            return timeout.error();
        }
        demand.deadline = steady_clock::now() + *timeout;
    }
    return demand;
}

asio::awaitable<void> Pipeline::comment(const Ticket::Progress& progress) {
    if (!waited_aloud_) {
        waited_aloud_ = true;
        exchange_.add_header("x-router-model", account_.record.model);
        exchange_.add_header("x-accel-buffering", "no");
        const bool begun = co_await exchange_.begin_stream(200, "text/event-stream");
        if (!begun) {
            co_return;
        }
    }
    std::string text = ": queued " + std::to_string(progress.position);
    if (progress.phase == Ticket::Phase::loading) {
        text = ": loading";
        if (progress.loaded_percent) {
            text += " " + std::to_string(*progress.loaded_percent) + "%";
        }
    }
    text += "\n\n";
    co_await exchange_.write(text);
}

/// Until it is settled; a client that streams hears how it goes.
asio::awaitable<void> Pipeline::wait_for(Ticket& ticket) {
    exchange_.on_gone([&ticket] { ticket.cancel(); });
    auto next_comment = steady_clock::now() + silent_wait;
    while (!ticket.settled()) {
        const bool aloud = speaks_events();
        const auto until = aloud ? next_comment : TimePoint::max();
        const bool settled = co_await ticket.wait_until(until);
        if (!settled && aloud) {
            const auto progress = ticket.progress();
            co_await comment(progress);
            next_comment = steady_clock::now() + comment_interval;
        }
    }
    exchange_.on_gone(nullptr);
}

Outgoing Pipeline::make_outgoing(std::string_view body) const {
    const auto& head = exchange_.head();
    Outgoing outgoing;
    outgoing.body = body;
    outgoing.is_raw = kind_.raw;
    outgoing.path = head.path;
    if (kind_.raw) {
        // As sent, still percent-encoded: the part after /upstream/{model}
        outgoing.path =
            head.path.substr(head.path.find('/', std::string_view("/upstream/").size()));
    }
    if (!kind_.model_in_query) {
        outgoing.query = head.query;
    }
    return outgoing;
}

void Pipeline::add_server_headers(const http::ResponseHead& head) {
    std::string connection;
    for (const auto& field : head.fields) {
        if (iequals(field.name, "connection")) {
            connection.append(connection.empty() ? "" : ",").append(field.value);
        }
    }
    for (const auto& field : head.fields) {
        if (passes(field.name) && !http::is_hop_by_hop(field.name, connection)) {
            exchange_.add_header(to_lower(field.name), field.value);
        }
    }
}

Transfer::Way Pipeline::on_answer(const http::ResponseHead& head, std::string& to_client) {
    describe(*lease_);
    const bool is_foreign_error = head.status >= 400 && !kind_.raw &&
                                  (waited_aloud_ || exchange_.dialect() != Dialect::openai);
    if (is_foreign_error) {
        says_it_anew_ = true;
        return Transfer::Way::collected;
    }
    const bool is_old_client = exchange_.head().minor_version == 0;
    if (waited_aloud_) {
        return is_old_client ? Transfer::Way::plain : Transfer::Way::chunked;
    }
    auto way = Transfer::Way::verbatim;
    std::string framing;
    if (head.body == http::BodyKind::until_close || head.body == http::BodyKind::chunked) {
        const bool is_chunked = head.body == http::BodyKind::chunked;
        way = is_old_client ? Transfer::Way::plain
              : is_chunked  ? Transfer::Way::verbatim
                            : Transfer::Way::chunked;
        if (is_old_client) {
            exchange_.mark_close();
        } else {
            framing = "transfer-encoding: chunked\r\n";
        }
    } else if (head.status != 204 && head.status != 304) {
        framing = "content-length: " + std::to_string(head.content_length) + "\r\n";
    }
    add_server_headers(head);
    exchange_.write_head(to_client, head.status, head.find("content-type").value_or(""), framing);
    exchange_.mark_head_sent(head.status);
    return way;
}

/// A server's error in a dialect that is not its own, or after our own head is out: said again in
/// the right form.
asio::awaitable<Result<void>> Pipeline::answer_error(unsigned status, const std::string& body) {
    const Error error(code_for(status), upstream_message(body));
    account_.record.error = error.message();
    if (waited_aloud_) {
        co_return error;
    }
    auto response = error_response(error, exchange_.dialect());
    response.status = status;
    co_await exchange_.respond(std::move(response));
    co_return boost::system::in_place_value;
}

/// Whether the lease's server is no more; its end may be seen a moment after its connections'.
asio::awaitable<bool> Pipeline::has_ended(Lease& lease) {
    if (lease.instance_end().empty()) {
        Signal ended(proxy_.services_.loop.executor());
        lease.on_instance_gone([&ended] { ended.notify(); });
        co_await ended.wait_until(steady_clock::now() + end_grace);
        lease.on_instance_gone(nullptr);
    }
    co_return !lease.instance_end().empty();
}

asio::awaitable<Error> Pipeline::broken_off(Error error, Lease& lease) {
    const auto of_model = "model '" + account_.record.model + "'";
    const bool by_server =
        error.code() == Errc::upstream_error || error.code() == Errc::unavailable;
    if (by_server && !exchange_.gone()) {
        const bool ended = co_await has_ended(lease);
        const auto end = ended ? ": " + lease.instance_end() : std::string();
        error = Error(Errc::upstream_error, error.message() + end);
    }
    co_return error.within(of_model);
}

void Pipeline::note_figures(const Transfer& transfer, const Lease& lease) {
    const auto figures = transfer.tap().figures();
    account_.record.bytes = transfer.bytes();
    account_.record.tokens_per_second = figures.tokens_per_second;
    account_.record.completion_tokens = figures.completion_tokens;
    if (figures.tokens_per_second) {
        proxy_.services_.fleet.report_rate(lease.instance(), *figures.tokens_per_second);
    }
}

/// Writes down how it went, and says what went wrong.
asio::awaitable<Result<void>> Pipeline::conclude(Transfer& transfer, Result<void> outcome,
                                                 Lease& lease) {
    auto& fleet = proxy_.services_.fleet;
    if (transfer.status() != 0) {
        note_figures(transfer, lease);
    }
    if (outcome) {
        fleet.report_answer(lease.instance(), Answered::whole);
        exchange_.mark_finished();
        co_return boost::system::in_place_value;
    }
    if (outcome.error().code() == Errc::deadline_exceeded) {
        fleet.report_answer(lease.instance(),
                            transfer.status() == 0 ? Answered::late : Answered::stalled);
    }
    at_boundary_ = transfer.status() == 0 || transfer.at_boundary();
    auto why = co_await broken_off(outcome.error(), lease);
    co_return why;
}

asio::awaitable<Result<std::unique_ptr<Upstream>>> Pipeline::connection_to(const Lease& lease) {
    const auto endpoint = native_endpoint(lease.endpoint());
    auto connected = co_await proxy_.pool_.connect(endpoint);
    if (connected && exchange_.gone()) {
        co_return Error(Errc::cancelled, "the client left");
    }
    co_return connected;
}

/// Asks the lease's server. A kept connection that turns out to be dead is replaced by a new one,
/// once, where the server cannot have seen the request; nothing else is tried twice. Errors:
/// unavailable before anything was sent, others as Transfer::run().
asio::awaitable<Result<void>> Pipeline::converse(Lease& lease, const Outgoing& outgoing) {
    const auto head = request_head(exchange_, outgoing);
    const Transfer::Limits limits{proxy_.limits_.first_byte_timeout, proxy_.limits_.stall_timeout};
    lease_ = &lease;
    for (auto upstream = proxy_.pool_.take_idle(lease.instance());;) {
        if (!upstream) {
            auto connected = co_await connection_to(lease);
            if (!connected) {
                co_return connected.error();
            }
            upstream = std::move(*connected);
        }
        Transfer transfer(exchange_, *upstream, *this, limits);
        auto outcome = co_await transfer.run(head, outgoing.body);
        if (!outcome && upstream->is_reused() && transfer.untouched() && !exchange_.gone()) {
            upstream.reset();
            continue;
        }
        describe(lease);
        if (outcome && transfer.reusable()) {
            proxy_.pool_.give_back(lease.instance(), std::move(upstream));
        }
        if (outcome && says_it_anew_) {
            const auto body = transfer.take_collected();
            auto answered = co_await answer_error(transfer.status(), body);
            co_return answered;
        }
        auto concluded = co_await conclude(transfer, std::move(outcome), lease);
        co_return concluded;
    }
}

asio::awaitable<Result<void>> Pipeline::steps() {
    const auto model = resolve_model();
    if (!model) {
        co_return model.error();
    }
    account_.record.model = (*model)->id;
    const auto body = prepare_body(**model);
    if (!body) {
        co_return body.error();
    }
    auto demand = make_demand(**model);
    if (!demand) {
        co_return demand.error();
    }
    const auto outgoing = make_outgoing(*body);
    for (bool may_retry = true;; may_retry = false) {
        auto ticket = proxy_.services_.fleet.request(*demand);
        if (!ticket.settled()) {
            co_await wait_for(ticket);
        }
        auto lease = ticket.take();
        if (!lease) {
            dropped_ = lease.error().code() == Errc::cancelled && !exchange_.gone();
            co_return lease.error();
        }
        auto answered = co_await converse(*lease, outgoing);
        if (!answered && may_retry && answered.error().code() == Errc::unavailable) {
            const bool ended = co_await has_ended(*lease);
            if (ended) {
                continue;  // nothing was sent: a new server may answer
            }
        }
        if (!answered && answered.error().code() == Errc::unavailable) {
            auto why = co_await broken_off(answered.error(), *lease);
            co_return why;
        }
        co_return answered;
    }
}

void Pipeline::describe(const Lease& lease) {
    if (std::exchange(described_, true)) {
        return;
    }
    account_.record.queued += lease.queued();
    account_.record.loaded += lease.loaded();
    if (!waited_aloud_) {
        exchange_.add_header("x-router-model", account_.record.model);
        exchange_.add_header("x-router-queue-ms", std::to_string(account_.record.queued.count()));
        exchange_.add_header("x-router-load-ms", std::to_string(account_.record.loaded.count()));
    }
}

/// Says what went wrong as far as the client can still hear it, and never as a clean end.
asio::awaitable<void> Pipeline::end_with_error(const Error& error, bool at_boundary) {
    if (exchange_.gone() || (error.code() == Errc::cancelled && !dropped_)) {
        exchange_.abort();
        co_return;
    }
    if (!exchange_.head_sent()) {
        co_await exchange_.respond(error);
        co_return;
    }
    if (exchange_.head().minor_version == 0) {
        exchange_.abort();  // such a client takes an orderly close for the end of the answer
        co_return;
    }
    if (peeked_.stream && at_boundary) {
        const auto event = error_event(error, exchange_.dialect());
        co_await exchange_.write_chunk(event);
    }
    exchange_.cut();
}

asio::awaitable<void> Pipeline::run() {
    account_.record.request_id = exchange_.id();
    account_.record.endpoint = exchange_.path();
    const auto done = co_await steps();
    exchange_.on_gone(nullptr);
    if (!done) {
        account_.record.error = done.error().message();
        const auto& error = done.error();
        co_await end_with_error(error, at_boundary_);
    }
    account_.record.status = exchange_.gone() && !done ? 499 : exchange_.status();
}

}  // namespace routerd
