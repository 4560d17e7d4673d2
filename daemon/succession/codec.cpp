#include "daemon/succession/codec.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace routerd::succession {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// Left as it is where the field is missing.
template <class T>
void read(const json& from, const char* name, T& value) {
    if (const auto found = from.find(name); found != from.end()) {
        found->get_to(value);
    }
}

template <class T>
void read(const json& from, const char* name, std::optional<T>& value) {
    if (const auto found = from.find(name); found != from.end()) {
        value = found->get<T>();
    }
}

template <class Rep, class Period>
void read(const json& from, const char* name, std::chrono::duration<Rep, Period>& value) {
    if (const auto found = from.find(name); found != from.end()) {
        value = std::chrono::duration<Rep, Period>(found->get<Rep>());
    }
}

template <class T>
void write(json& to, const char* name, const std::optional<T>& value) {
    if (value) {
        to[name] = *value;
    }
}

void write_allowance(json& to, const char* name, const std::optional<Allowance>& allowance) {
    if (allowance) {
        to[name] = {{"limit", allowance->limit},
                    {"remaining", allowance->remaining},
                    {"reset", allowance->reset.count()}};
    }
}

void read_allowance(const json& from, const char* name, std::optional<Allowance>& allowance) {
    if (const auto found = from.find(name); found != from.end()) {
        auto& read_one = allowance.emplace();
        read(*found, "limit", read_one.limit);
        read(*found, "remaining", read_one.remaining);
        read(*found, "reset", read_one.reset);
    }
}

}  // namespace

json to_json(const Error& error) {
    json out{{"code", to_string(error.code())},
             {"message", error.message()},
             {"hint", error.hint()},
             {"param", error.param()}};
    if (const auto after = error.retry_after()) {
        out["retry_after"] = after->count();
    }
    if (const auto* fit = error.fit()) {
        out["fit"] = {
            {"required", fit->required}, {"available", fit->available}, {"loaded", fit->loaded}};
    }
    return out;
}

Error error_from(const json& from) {
    std::string code;
    std::string message;
    std::string hint;
    std::string param;
    read(from, "code", code);
    read(from, "message", message);
    read(from, "hint", hint);
    read(from, "param", param);
    auto error = Error(errc_from_string(code).value_or(Errc::internal), std::move(message))
                     .with_hint(std::move(hint))
                     .with_param(std::move(param));
    if (const auto found = from.find("retry_after"); found != from.end()) {
        error = error.with_retry_after(std::chrono::seconds(found->get<std::int64_t>()));
    }
    if (const auto found = from.find("fit"); found != from.end()) {
        Fit fit;
        read(*found, "required", fit.required);
        read(*found, "available", fit.available);
        read(*found, "loaded", fit.loaded);
        error = error.with_fit(std::move(fit));
    }
    return error;
}

json to_json(const Demand& demand) {
    json out{{"model", demand.model},
             {"request", demand.request_id},
             {"priority", static_cast<int>(demand.priority)},
             {"key", demand.key},
             {"conversation", demand.conversation},
             {"needs_slot", demand.needs_slot},
             {"is_limited", demand.is_limited}};
    if (demand.deadline != TimePoint::max()) {
        out["deadline"] = demand.deadline.time_since_epoch().count();
    }
    return out;
}

Demand demand_from(const json& from) {
    Demand demand;
    int priority = static_cast<int>(Priority::normal);
    TimePoint::duration deadline = TimePoint::max().time_since_epoch();
    read(from, "model", demand.model);
    read(from, "request", demand.request_id);
    read(from, "priority", priority);
    read(from, "key", demand.key);
    read(from, "conversation", demand.conversation);
    read(from, "needs_slot", demand.needs_slot);
    read(from, "is_limited", demand.is_limited);
    read(from, "deadline", deadline);
    for (const auto known : {Priority::high, Priority::low}) {
        demand.priority = priority == static_cast<int>(known) ? known : demand.priority;
    }
    demand.deadline = TimePoint(deadline);
    return demand;
}

json to_json(const LeaseReport& report) {
    json out{{"tokens", report.tokens}};
    if (report.answered) {
        out["answered"] = static_cast<int>(*report.answered);
    }
    write(out, "tokens_per_second", report.tokens_per_second);
    return out;
}

LeaseReport report_from(const json& from) {
    LeaseReport report;
    std::optional<int> answered;
    read(from, "answered", answered);
    for (const auto known : {Answered::whole, Answered::late, Answered::stalled}) {
        if (answered == static_cast<int>(known)) {
            report.answered = known;
        }
    }
    read(from, "tokens_per_second", report.tokens_per_second);
    read(from, "tokens", report.tokens);
    return report;
}

json to_json(const Result<Granted>& outcome) {
    if (!outcome) {
        return {{"error", to_json(outcome.error())}};
    }
    const auto& at = outcome->server->endpoint;
    json out{{"instance", outcome->instance},
             {"unix_path", at.unix_path},
             {"port", at.port},
             {"queued", outcome->queued.count()},
             {"loaded", outcome->loaded.count()}};
    if (at.remote) {
        out["remote"] = {
            {"url", at.remote->url}, {"key", at.remote->key}, {"ca_file", at.remote->ca_file}};
    }
    return out;
}

Result<Granted> outcome_from(const json& from) {
    if (const auto found = from.find("error"); found != from.end()) {
        return error_from(*found);
    }
    Granted granted;
    Endpoint at;
    read(from, "instance", granted.instance);
    read(from, "unix_path", at.unix_path);
    read(from, "port", at.port);
    if (const auto remote = from.find("remote"); remote != from.end()) {
        std::string url;
        std::string key;
        std::string ca_file;
        read(*remote, "url", url);
        read(*remote, "key", key);
        read(*remote, "ca_file", ca_file);
        auto made = make_remote_server(url, std::move(key), std::move(ca_file));
        if (!made) {
            return made.error();
        }
        at.remote = std::move(*made);
    }
    read(from, "queued", granted.queued);
    read(from, "loaded", granted.loaded);
    granted.server = std::make_shared<ModelServer>(std::move(at));
    return granted;
}

json to_json(const Ticket::Progress& progress) {
    json out{{"loading", progress.phase == Ticket::Phase::loading},
             {"position", progress.position}};
    write(out, "percent", progress.loaded_percent);
    return out;
}

Ticket::Progress progress_from(const json& from) {
    Ticket::Progress progress;
    bool loading = false;
    read(from, "loading", loading);
    progress.phase = loading ? Ticket::Phase::loading : Ticket::Phase::queued;
    read(from, "position", progress.position);
    read(from, "percent", progress.loaded_percent);
    return progress;
}

json to_json(const Admission& admission) {
    json out = json::object();
    if (admission.refusal) {
        out["refusal"] = to_json(*admission.refusal);
    }
    write_allowance(out, "allowance", admission.allowance);
    write_allowance(out, "tokens", admission.tokens);
    return out;
}

Admission admission_from(const json& from) {
    Admission admission;
    if (const auto found = from.find("refusal"); found != from.end()) {
        admission.refusal = error_from(*found);
    }
    read_allowance(from, "allowance", admission.allowance);
    read_allowance(from, "tokens", admission.tokens);
    return admission;
}

json to_json(const Record& record) {
    json out{{"request", record.request_id},
             {"endpoint", record.endpoint},
             {"route", record.route},
             {"model", record.model},
             {"status", record.status},
             {"error", record.error},
             {"stream", record.stream},
             {"bytes", record.bytes},
             {"queued", record.queued.count()},
             {"loaded", record.loaded.count()},
             {"first_byte", record.first_byte.count()},
             {"took", record.took.count()}};
    write(out, "tokens_per_second", record.tokens_per_second);
    write(out, "prompt_tokens", record.prompt_tokens);
    write(out, "completion_tokens", record.completion_tokens);
    return out;
}

Record record_from(const json& from) {
    Record record;
    read(from, "request", record.request_id);
    read(from, "endpoint", record.endpoint);
    read(from, "model", record.model);
    read(from, "status", record.status);
    read(from, "error", record.error);
    read(from, "stream", record.stream);
    read(from, "bytes", record.bytes);
    read(from, "queued", record.queued);
    read(from, "loaded", record.loaded);
    read(from, "first_byte", record.first_byte);
    read(from, "took", record.took);
    read(from, "tokens_per_second", record.tokens_per_second);
    read(from, "prompt_tokens", record.prompt_tokens);
    read(from, "completion_tokens", record.completion_tokens);
    return record;
}

json to_json(const ListenAddress& address) {
    return {{"host", address.host},
            {"port", address.port},
            {"tls", address.tls},
            {"unix_path", address.unix_path},
            {"unix_mode", address.unix_mode}};
}

ListenAddress address_from(const json& from) {
    ListenAddress address;
    read(from, "host", address.host);
    read(from, "port", address.port);
    read(from, "tls", address.tls);
    read(from, "unix_path", address.unix_path);
    read(from, "unix_mode", address.unix_mode);
    return address;
}

json to_json(const Legacy::Held& held) {
    return {{"ticket", held.ticket},
            {"instance", held.instance},
            {"key", held.key},
            {"has_slot", held.has_slot},
            {"is_limited", held.is_limited}};
}

Legacy::Held held_from(const json& from) {
    Legacy::Held held;
    read(from, "ticket", held.ticket);
    read(from, "instance", held.instance);
    read(from, "key", held.key);
    read(from, "has_slot", held.has_slot);
    read(from, "is_limited", held.is_limited);
    return held;
}

}  // namespace routerd::succession
