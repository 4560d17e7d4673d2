#pragma once

#include <functional>
#include <vector>

#include "common/api/pull.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/pull/pulls.hpp"

namespace routerd {

/// What the chat proxy's dialect asks of Pulls.
struct ChatProxyPulls {
    std::function<std::vector<api::Pull>()> all;  ///< Pulls::all()
    std::function<asio::awaitable<Result<Pulls::Begun>>(api::PullRequest, bool is_local)>
        begin;  ///< Pulls::begin()
};

/// GET /api/download-progress and POST /api/download-model. What `pulls` refers to must outlive the
/// table.
std::vector<Route> chat_proxy_routes(ChatProxyPulls pulls);

}  // namespace routerd
