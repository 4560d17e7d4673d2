#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/number.hpp"
#include "common/base/text.hpp"
#include "common/config/raw_value.hpp"
#include "daemon/proxy/form.hpp"
#include "daemon/proxy/pipeline.hpp"
#include "daemon/proxy/resolve.hpp"

namespace routerd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

static_assert(Connection::padding >= peek_padding);  // behind Exchange::body()

// Errors go into the log and the history too, and what a header says is nobody's but the client's:
// those do not quote it.

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
    return Error(Errc::invalid_request, "X-Request-Priority is not high, normal or low");
}

Result<milliseconds> parse_timeout(std::string_view text) {
    const auto value = number_in<double>(text);
    constexpr double longest = 7.0 * 86'400;  // s
    if (!value || !(*value > 0) || *value > longest) {
        return Error(Errc::invalid_request,
                     "X-Request-Timeout is not a number of seconds up to a week");
    }
    return milliseconds(static_cast<std::int64_t>(*value * 1000));
}

/// A time as OpenAI's x-ratelimit-reset-… have it: "120ms", "6m0s", "1s".
std::string as_openai_writes(milliseconds time) {
    constexpr std::int64_t ms_a_second = 1000;
    constexpr std::int64_t seconds_a_minute = 60;
    if (time.count() < ms_a_second) {
        return std::to_string(time.count()) + "ms";
    }
    const auto all = std::chrono::ceil<std::chrono::seconds>(time).count();
    const auto minutes = all / seconds_a_minute;
    return (minutes > 0 ? std::to_string(minutes) + "m" : std::string()) +
           std::to_string(all % seconds_a_minute) + "s";
}

/// The content types that carry JSON; none at all is taken for JSON too.
bool is_json(const http::RequestHead& head) {
    const auto type = head.find(http::Name::content_type);
    if (!type) {
        return true;
    }
    constexpr std::string_view suffix = "+json";
    const auto media = trim(type->substr(0, type->find(';')));
    return iequals(media, "application/json") ||
           (media.size() >= suffix.size() &&
            iequals(media.substr(media.size() - suffix.size()), suffix));
}

}  // namespace

/// Of a form; nullopt: the body is none.
std::optional<std::string_view> Pipeline::form_boundary() const {
    const auto type = exchange_.head().find(http::Name::content_type);
    return type ? boundary_of(*type) : std::nullopt;
}

/// What the body says of its way. False: failure_ says why that is nothing.
bool Pipeline::peek_body() {
    const auto& fields = exchange_.head().fields;
    if (std::ranges::count(fields, http::Name::content_type, &http::Field::known) > 1) {
        account_.record.error = "two content types";
        return fail(Error(Errc::invalid_request, "content-type is there twice"));
    }
    const bool is_other = !is_json(exchange_.head());
    const auto boundary = is_other ? form_boundary() : std::nullopt;
    if (is_other && !boundary) {
        account_.record.error = "the content type is not supported";
        return fail(
            Error(Errc::invalid_request,
                  "content type '" +
                      escaped(exchange_.head().find(http::Name::content_type).value_or("")) +
                      "' is not supported here")
                .with_hint("send JSON with content-type: application/json, or a form with "
                           "content-type: multipart/form-data; boundary=…"));
    }
    is_form_ = boundary.has_value();
    auto found = is_form_ ? peek_form(exchange_.body(), *boundary) : peek_padded(exchange_.body());
    if (!found) {
        return fail(found.error());
    }
    peeked_ = std::move(*found);
    account_.record.stream = peeked_.stream;
    return true;
}

/// What the request means by its model. False: failure_ says why that is nothing.
bool Pipeline::find_model() {
    std::optional<std::string> said;
    if (kind_.raw) {
        said = exchange_.param("model");
    } else if (!kind_.model_in_query && !peek_body()) {
        return false;
    } else if (!peeked_.model) {
        said = exchange_.query("model");
    }
    auto meant = meaning_of(peeked_.model ? peeked_.model : said, *proxy_.services_.catalog());
    if (!meant) {
        return fail(without_names(meant.error(), exchange_.caller()));
    }
    meant_ = std::move(*meant);
    const auto allowed = leave_what_is_allowed();
    return allowed ? true : fail(allowed.error());
}

/// Of what is meant, the models that the caller's key may use. Errors: forbidden, where that is
/// none.
Result<void> Pipeline::leave_what_is_allowed() {
    const auto& caller = exchange_.caller();
    if (meant_.model && !caller.may_use(meant_.model->id)) {
        return Error(Errc::forbidden,
                     "key '" + caller.key + "' may not use model '" + meant_.model->id + "'")
            .with_hint("GET /v1/models lists those that it may use");
    }
    const bool is_tier = !meant_.tier.empty();
    std::erase_if(meant_.tier, [&caller](const auto& model) { return !caller.may_use(model->id); });
    if (is_tier && meant_.tier.empty()) {
        return Error(Errc::forbidden, "key '" + caller.key + "' may use no model of this tier")
            .with_hint("GET /v1/models lists those that it may use");
    }
    return {};
}

void Pipeline::add_allowance(const std::optional<Allowance>& allowance, const std::string& what) {
    if (allowance) {
        exchange_.add_header("x-ratelimit-limit-" + what, std::to_string(allowance->limit));
        exchange_.add_header("x-ratelimit-remaining-" + what, std::to_string(allowance->remaining));
        exchange_.add_header("x-ratelimit-reset-" + what, as_openai_writes(allowance->reset));
    }
}

/// False: failure_ says that the key asks too often. What it may still ask is told in any case.
asio::awaitable<bool> Pipeline::count_request() {
    const auto counted = co_await proxy_.services_.gate.admit(exchange_.caller().key);
    add_allowance(counted.allowance, "requests");
    add_allowance(counted.tokens, "tokens");
    co_return !counted.refusal || fail(*counted.refusal);
}

asio::awaitable<void> Pipeline::choose_in_tier() {
    const auto best = co_await proxy_.services_.gate.least_busy(meant_.ids());
    meant_.model = meant_.tier.at(best);
}

Result<std::string_view> Pipeline::prepare_body(const Model& model) {
    const auto& settings = model.settings;
    const bool has_rules = !settings.set.empty() || (settings.strip && !settings.strip->empty());
    if ((!has_rules && !settings.url) || kind_.raw || kind_.model_in_query) {
        return exchange_.body();
    }
    auto set = settings.set;
    if (settings.url) {  // that server knows nothing of our names
        const auto name = settings.remote_model.value_or(model.id);
        if (!has_rules && peeked_.model == name) {
            return exchange_.body();
        }
        set.emplace("model", json_quoted(name));
    }
    const auto strip = settings.strip.value_or(std::vector<std::string>{});
    auto rewritten = is_form_
                         ? rewrite_form(exchange_.body(), form_boundary().value_or(""), set, strip)
                         : rewrite_padded(exchange_.body(), set, strip);
    if (!rewritten) {
        return rewritten.error();
    }
    rewritten_ = std::move(*rewritten);
    return std::string_view(rewritten_);
}

/// Errors: what a header says of it is none.
Result<void> Pipeline::make_demand(const Model& model) {
    demand_.model = model.id;
    demand_.request_id = exchange_.id();
    demand_.key = exchange_.caller().key;
    demand_.is_limited = !exchange_.is_control();
    if (model.settings.instances.value_or(1) > 1 && !is_form_) {
        demand_.conversation = conversation_of(opening_padded(exchange_.body()));
    }
    demand_.needs_slot = kind_.needs_slot && (!kind_.raw || exchange_.head().method == "POST");
    if (const auto text = exchange_.head().find(http::Name::x_request_priority)) {
        const auto priority = parse_priority(*text);
        if (!priority) {
            return priority.error();
        }
        demand_.priority = *priority;
    }
    if (const auto text = exchange_.head().find(http::Name::x_request_timeout)) {
        const auto timeout = parse_timeout(*text);
        if (!timeout) {
            return timeout.error();
        }
        demand_.deadline = steady_clock::now() + *timeout;
    }
    return {};
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

/// What is asked of the model. False: failure_ says why not.
bool Pipeline::prepare() {
    const auto& model = *meant_.model;
    account_.record.model = model.id;
    constexpr std::size_t longest_way = 8;  // of routers that ask one another
    if (model.settings.url && times_sent_on(exchange_.head()) >= longest_way) {
        return fail(Error(Errc::upstream_error,
                          "model '" + model.id + "': the request has come through " +
                              std::to_string(longest_way) + " routers, or back to this one")
                        .with_hint("see where the url of each leads: routerctl show " + model.id));
    }
    const auto body = prepare_body(model);
    if (!body) {
        return fail(body.error());
    }
    const auto made = make_demand(model);
    if (!made) {
        return fail(made.error());
    }
    body_ = *body;
    return true;
}

}  // namespace routerd
