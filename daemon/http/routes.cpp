#include "daemon/http/routes.hpp"

#include <utility>

#include "common/base/text.hpp"

namespace routerd {
namespace {

using Params = std::vector<std::pair<std::string_view, std::string>>;

asio::awaitable<void> answer(Exchange& exchange, Result<Response> result) {
    if (result) {
        co_await exchange.respond(std::move(*result));
    } else {
        co_await exchange.respond(result.error());
    }
}

asio::awaitable<void> await_and_answer(Exchange& exchange,
                                       asio::awaitable<Result<Response>> pending) {
    auto result = co_await std::move(pending);
    co_await answer(exchange, std::move(result));
}

/// Takes the next segment off `path` (which begins with '/').
std::string_view take_segment(std::string_view& path) noexcept {
    path.remove_prefix(1);
    const auto end = path.find('/');
    const auto segment = path.substr(0, end);
    path.remove_prefix(segment.size());
    return segment;
}

bool take_param(std::string_view pattern, std::string_view value, Params& params) {
    auto decoded = http::percent_decode(value);
    if (!decoded || decoded->empty()) {
        return false;
    }
    params.emplace_back(pattern, std::move(*decoded));
    return true;
}

bool match(std::string_view pattern, std::string_view path, Params& params) {
    while (!pattern.empty() && !path.empty()) {
        const auto rest = path;
        auto expected = take_segment(pattern);
        const auto segment = take_segment(path);
        if (expected.starts_with('{') && expected.ends_with("...}")) {
            return take_param(expected.substr(1, expected.size() - 5), rest.substr(1), params);
        }
        if (expected.starts_with('{')) {
            if (!take_param(expected.substr(1, expected.size() - 2), segment, params)) {
                return false;
            }
        } else if (expected != segment) {
            return false;
        }
    }
    return pattern.empty() && path.empty();
}

bool method_fits(std::string_view route, std::string_view method) noexcept {
    return route == method || route == "*" || (route == "GET" && method == "HEAD");
}

}  // namespace

Handler reply(std::function<Result<Response>(Exchange&)> handler) {
    return [handler = std::move(handler)](Exchange& exchange) {
        return answer(exchange, handler(exchange));
    };
}

Handler reply(std::function<asio::awaitable<Result<Response>>(Exchange&)> handler) {
    return [handler = std::move(handler)](Exchange& exchange) {
        return await_and_answer(exchange, handler(exchange));
    };
}

void Routes::add(Route route) {
    const auto& added = routes_.emplace_back(std::move(route));
    if (added.pattern.find('{') == std::string::npos) {
        plain_[added.pattern].push_back(&added);
    }
}

void Routes::add(std::vector<Route> routes) {
    for (auto& route : routes) {
        add(std::move(route));
    }
}

Routes::Match Routes::find(std::string_view method, std::string_view path) const {
    Match found;
    if (const auto plain = plain_.find(path); plain != plain_.end()) {
        for (const auto* route : plain->second) {
            if (method_fits(route->method, method)) {
                found.path_known = true;
                found.route = route;
                return found;
            }
        }
    }
    for (const auto& route : routes_) {
        Params params;
        if (!match(route.pattern, path, params)) {
            continue;
        }
        found.path_known = true;
        if (method_fits(route.method, method)) {
            found.route = &route;
            found.params = std::move(params);
            return found;
        }
        found.allow += (found.allow.empty() ? "" : ", ") + route.method;
    }
    return found;
}

Dialect dialect_of(std::string_view path) noexcept {
    if (path.starts_with("/v1/messages")) {
        return Dialect::anthropic;
    }
    return path.starts_with("/api/models") ? Dialect::registry : Dialect::openai;
}

}  // namespace routerd
