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
        auto found = peek(exchange_.mutable_body());
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
        return std::string_view(exchange_.body());
    }
    auto rewritten = rewrite_fields(exchange_.mutable_body(), settings.set,
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

asio::awaitable<Result<Lease>> Pipeline::admit(Demand demand) {
    auto ticket = proxy_.services_.fleet.request(std::move(demand));
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
    co_return ticket.take();
}

Outgoing Pipeline::make_outgoing(std::string_view body) const {
    const auto& head = exchange_.head();
    Outgoing outgoing;
    outgoing.body = body;
    outgoing.pass_headers = kind_.raw;
    if (kind_.raw) {
        // As sent, still percent-encoded: the part after /upstream/{model}
        const auto slash = head.path.find('/', std::string_view("/upstream/").size());
        outgoing.target = head.path.substr(slash);
    } else {
        outgoing.target = head.path;
    }
    if (!head.query.empty() && !kind_.model_in_query) {
        outgoing.target.append("?").append(head.query);
    }
    return outgoing;
}

asio::awaitable<Result<void>> Pipeline::send_head(const http::ResponseHead& head,
                                                  Relay::Framing framing) {
    std::string connection;
    std::string_view content_type;
    for (const auto& field : head.fields) {
        if (iequals(field.name, "connection")) {
            connection.append(connection.empty() ? "" : ",").append(field.value);
        } else if (iequals(field.name, "content-type")) {
            content_type = field.value;
        }
    }
    for (const auto& field : head.fields) {
        if (passes(field.name) && !http::is_hop_by_hop(field.name, connection)) {
            exchange_.add_header(to_lower(field.name), std::string(field.value));
        }
    }
    if (framing == Relay::Framing::decoded) {
        const bool begun = co_await exchange_.begin_stream(head.status, content_type);
        co_return begun ? Result<void>() : Error(Errc::cancelled, "the client left");
    }
    std::string lines;
    if (head.body == http::BodyKind::chunked) {
        lines = "transfer-encoding: chunked\r\n";
    } else if (head.status != 204 && head.status != 304) {
        lines = "content-length: " + std::to_string(head.content_length) + "\r\n";
    }
    auto text = exchange_.make_head(head.status, content_type, lines);
    text += "\r\n";
    exchange_.mark_head_sent(head.status);
    const auto sent = co_await exchange_.connection().send(text, exchange_.send_deadline());
    co_return sent ? Result<void>() : Error(Errc::cancelled, "the client left");
}

/// A server's error in a dialect that is not its own, or after our own head is out: read whole,
/// said again in the right form.
asio::awaitable<Result<void>> Pipeline::answer_error(Answering& answering) {
    http::ChunkedDecoder decoder;
    std::string body;
    auto& head = answering.head;
    const auto deadline = steady_clock::now() + proxy_.limits_.stall_timeout;
    auto left = head.body == http::BodyKind::length ? head.content_length : 0;
    while (body.size() < largest_error && head.body != http::BodyKind::none && !decoder.done()) {
        const auto piece = co_await answering.upstream->read_some(deadline);
        if (!piece || piece->empty()) {
            break;
        }
        if (head.body == http::BodyKind::chunked) {
            const auto step = decoder.next(*piece);
            body += step.data;
            answering.upstream->take(step.consumed);
            if (decoder.bad()) {
                break;
            }
            continue;
        }
        body += *piece;
        answering.upstream->take(piece->size());
        left -= std::min<std::uint64_t>(left, piece->size());
        if (head.body == http::BodyKind::length && left == 0) {
            break;
        }
    }
    const Error error(code_for(head.status), upstream_message(body));
    account_.record.error = error.message();
    if (waited_aloud_) {
        co_return error;
    }
    auto response = error_response(error, exchange_.dialect());
    response.status = head.status;
    co_await exchange_.respond(std::move(response));
    co_return boost::system::in_place_value;
}

/// Whether the lease's server is no more; its end may be seen a moment after its connections'.
asio::awaitable<bool> Pipeline::has_ended(Lease& lease) {
    if (lease.instance_end().empty()) {
        Signal ended(proxy_.services_.executor);
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

asio::awaitable<Result<void>> Pipeline::answer(Answering& answering, Lease& lease) {
    const auto& head = answering.head;
    const bool foreign_error = head.status >= 400 && !kind_.raw &&
                               (waited_aloud_ || exchange_.dialect() != Dialect::openai);
    if (foreign_error) {
        auto answered = co_await answer_error(answering);
        co_return answered;
    }
    const bool reframe =
        waited_aloud_ || head.body == http::BodyKind::until_close ||
        (head.body == http::BodyKind::chunked && exchange_.head().minor_version == 0);
    const auto framing = reframe ? Relay::Framing::decoded : Relay::Framing::verbatim;
    if (!waited_aloud_) {
        const auto sent = co_await send_head(head, framing);
        if (!sent) {
            co_return sent.error();
        }
    }
    Relay relay(*answering.upstream, exchange_, head, framing);
    auto relayed = co_await relay.run(proxy_.limits_.stall_timeout);
    const auto figures = relay.tap().figures();
    account_.record.bytes = relay.bytes();
    account_.record.tokens_per_second = figures.tokens_per_second;
    account_.record.completion_tokens = figures.completion_tokens;
    if (figures.tokens_per_second) {
        proxy_.services_.fleet.report_rate(lease.instance(), *figures.tokens_per_second);
    }
    if (relayed) {
        proxy_.services_.fleet.report_answer(lease.instance(), Answered::whole);
    } else if (relayed.error().code() == Errc::deadline_exceeded) {
        proxy_.services_.fleet.report_answer(lease.instance(), Answered::stalled);
    }
    if (!relayed) {
        at_boundary_ = relay.at_boundary();
        auto why = co_await broken_off(relayed.error(), lease);
        co_return why;
    }
    if (framing == Relay::Framing::decoded) {
        co_await exchange_.finish_stream();
    } else {
        exchange_.mark_finished();
    }
    if (head.keep_alive) {
        proxy_.pool_.give_back(lease.instance(), std::move(answering.upstream));
    }
    co_return boost::system::in_place_value;
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
        auto lease = co_await admit(*demand);
        if (!lease) {
            dropped_ = lease.error().code() == Errc::cancelled && !exchange_.gone();
            co_return lease.error();
        }
        auto answering = co_await forward(exchange_, outgoing, *lease, proxy_.pool_,
                                          proxy_.limits_.first_byte_timeout);
        if (!answering && may_retry && answering.error().code() == Errc::unavailable) {
            const bool ended = co_await has_ended(*lease);
            if (ended) {
                continue;  // nothing was sent: a new server may answer
            }
        }
        describe(*lease);
        if (!answering && answering.error().code() == Errc::deadline_exceeded) {
            proxy_.services_.fleet.report_answer(lease->instance(), Answered::late);
        }
        if (!answering) {
            auto why = co_await broken_off(answering.error(), *lease);
            co_return why;
        }
        auto answered = co_await answer(*answering, *lease);
        exchange_.on_gone(nullptr);  // the upstream it would close is about to go
        co_return answered;
    }
}

void Pipeline::describe(const Lease& lease) {
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
