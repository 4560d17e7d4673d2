#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/http/exchange.hpp"

namespace routerd {

/// What a caller on a public listener must be allowed for a route.
enum class Scope {
    open,       ///< anybody: /livez
    inference,  ///< a key with `inference`
    read,       ///< a key with `read` or `admin`
    admin,      ///< a key with `admin`
};

/// How a request came over a public listener.
enum class Scheme { http, https };

/// One line of the table. Patterns are paths with `{name}` for one segment and `{name...}` for the
/// rest.
struct Route {
    std::string method;  ///< "GET" answers HEAD too; "*" is any
    std::string pattern;
    Scope scope = Scope::admin;
    Handler handler;  ///< empty: another loop answers (Server::Options::pass_on)
    Dialect dialect = Dialect::openai;
};

/// A handler that gives its answer as a value: Result<Response> f(Exchange&), or the same as a
/// coroutine.
Handler reply(std::function<Result<Response>(Exchange&)> handler);
Handler reply(std::function<asio::awaitable<Result<Response>>(Exchange&)> handler);

/// The table of routes. A plain path goes before a pattern that fits it too. Built once at start
/// and read by every session.
class Routes {
  public:
    void add(Route route);
    void add(std::vector<Route> routes);

    struct Match {
        const Route* route = nullptr;  ///< nullptr: no such path, or not with this method
        bool path_known = false;
        std::string allow;  ///< methods of the path, for a 405
        std::vector<std::pair<std::string_view, std::string>> params;
    };

    /// `path` as sent, still percent-encoded: segments are cut before they are decoded.
    Match find(std::string_view method, std::string_view path) const;

    const std::deque<Route>& all() const noexcept { return routes_; }

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };

    std::deque<Route> routes_;  // they stay where they are
    /// Those whose pattern is a plain path, by it: most requests need no more than a look here.
    std::unordered_map<std::string, std::vector<const Route*>, Hash, std::equal_to<>> plain_;
};

/// By its path, before a route is known: an error for a wrong path is in a dialect too.
Dialect dialect_of(std::string_view path) noexcept;

}  // namespace routerd
