#include "common/client/targets.hpp"

#include "common/client/client.hpp"
#include "common/http/head.hpp"

namespace routerd::client {
namespace {

constexpr std::string_view root = "/control/v1/";

}  // namespace

std::string at(std::string_view noun, std::string_view name, std::string_view verb) {
    std::string target(root);
    target += noun;
    if (!name.empty()) {
        target += '/' + http::percent_encode(name);
    }
    if (!verb.empty()) {
        target += '/';
        target += verb;
    }
    return target;
}

void add(std::string& target, std::string_view name, std::string_view value) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += name;
    target += '=' + http::percent_encode(value);
}

void add_text(std::string& target, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        add(target, name, value);
    }
}

std::string log_target(const LogQuery& query) {
    auto target = query.model.empty() ? at("logs") : at("models", query.model, "logs");
    add(target, "lines", std::to_string(query.lines));
    if (query.since) {
        add(target, "since", format_rfc3339(*query.since));
    }
    if (query.until) {
        add(target, "until", format_rfc3339(*query.until));
    }
    return target;
}

std::string event_target(const EventQuery& query) {
    auto target = at("events");
    add(target, "limit", std::to_string(query.limit));
    if (query.after) {
        add(target, "after", std::to_string(*query.after));
    }
    add_text(target, "model", query.model);
    add_text(target, "type", query.type);
    return target;
}

std::string requests_target(const RequestsQuery& query) {
    auto target = at("requests");
    add(target, "limit", std::to_string(query.limit));
    add_text(target, "model", query.model);
    if (query.slow.count() != 0) {
        add(target, "slow_ms", std::to_string(query.slow.count()));
    }
    if (query.failed) {
        add(target, "failed", "true");
    }
    return target;
}

}  // namespace routerd::client
