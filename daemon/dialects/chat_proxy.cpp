#include "daemon/dialects/chat_proxy.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "daemon/pull/reference.hpp"

namespace routerd {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* model_parameter = "model_id";

Response answer_with(const Json& body) {
    return Response::json(body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// Of those under way the newest, else the one that ended last; nullptr: there is none.
const api::Pull* moved_last(const std::vector<api::Pull>& pulls) {
    const auto rank = [](const api::Pull& pull) {
        return std::pair(!api::is_at_rest(pull), pull.finished.value_or(pull.created));
    };
    const auto last = std::ranges::max_element(pulls, {}, rank);
    return last == pulls.end() ? nullptr : &*last;
}

/// "idle" for what somebody paused: it goes on only when somebody says so.
const char* status_of(const api::Pull& pull) {
    if (!api::is_at_rest(pull)) {
        return "downloading";
    }
    if (pull.state == "complete") {
        return "complete";
    }
    return pull.error.empty() ? "idle" : "error";
}

/// Of 100, to a tenth.
double percent_of(const api::Pull& pull) {
    if (pull.state == "complete") {
        return 100;
    }
    const auto size = pull.size.value_or(0);
    const auto done = std::min(pull.done, size);
    return size == 0
               ? 0
               : std::floor(1000 * static_cast<double>(done) / static_cast<double>(size)) / 10;
}

Response download_progress(const api::Pull* pull) {
    if (pull == nullptr) {
        return answer_with(
            {{"status", "idle"}, {"progress", 0}, {"model", nullptr}, {"error", nullptr}});
    }
    const std::string status = status_of(*pull);
    // Of one under way it says what made it try again.
    const auto error = status == "error" ? Json(pull->error) : Json();
    return answer_with({{"status", status},
                        {"progress", percent_of(*pull)},
                        {"model", pull->ref},
                        {"error", error}});
}

/// `auto`, as the chat proxy took it: Python's clients say "True".
Result<bool> begins_by_itself(const Exchange& exchange) {
    constexpr std::array yes{"true", "1", "yes", "on", "t", "y"};
    constexpr std::array no{"false", "0", "no", "off", "f", "n"};
    const auto text = exchange.query("auto").value_or("false");
    const auto word = to_lower(text);
    const bool is_yes = std::ranges::find(yes, word) != yes.end();
    if (!is_yes && std::ranges::find(no, word) == no.end()) {
        return Error(Errc::invalid_request,
                     "parameter 'auto' must be true or false, not '" + escaped(text) + "'")
            .with_param("auto");
    }
    return is_yes;
}

Result<std::string> model_to_download(const Exchange& exchange) {
    auto ref = exchange.query(model_parameter).value_or("");
    if (ref.empty()) {
        return Error(Errc::invalid_request, "the request names no model to download")
            .with_param(model_parameter)
            .with_hint("ask with ?model_id=org/repo:QUANT");
    }
    const auto parsed = pull::parse_reference(ref);
    return parsed ? Result<std::string>(std::move(ref))
                  : Result<std::string>(parsed.error().with_param(model_parameter));
}

Response instructions_for(const std::string& ref) {
    return answer_with({{"status", "instructions"},
                        {"message",
                         "run the command on the router's machine, or ask again with "
                         "auto=true to download '" +
                             escaped(ref) + "' at once"},
                        {"command", "routerctl pull " + shell_quote(ref)}});
}

Response begun_with(const Pulls::Begun& begun) {
    const auto& pull = begun.pull;
    return answer_with({{"status", "downloading"},
                        {"message", "the download of '" + escaped(pull.ref) + "' " +
                                        (begun.joined ? "is under way; " : "has begun; ") +
                                        "/api/download-progress says how far it is"},
                        {"model", pull.ref},
                        {"id", pull.id}});
}

asio::awaitable<Result<Response>> download_model(const ChatProxyPulls& pulls, Exchange& exchange) {
    const auto ref = model_to_download(exchange);
    if (!ref) {
        co_return ref.error();
    }
    const auto begins = begins_by_itself(exchange);
    if (!begins) {
        co_return begins.error();
    }
    if (!*begins) {
        co_return instructions_for(*ref);
    }
    api::PullRequest request;
    request.ref = *ref;
    const auto begun = co_await pulls.begin(std::move(request), exchange.is_control());
    if (!begun) {
        co_return begun.error().with_param(model_parameter);
    }
    co_return begun_with(*begun);
}

}  // namespace

std::vector<Route> chat_proxy_routes(ChatProxyPulls pulls) {
    const auto progress = [all = pulls.all](Exchange& /*exchange*/) {
        const auto now = all();
        return Result<Response>(download_progress(moved_last(now)));
    };
    const auto download = [pulls = std::move(pulls)](Exchange& exchange) {
        return download_model(pulls, exchange);
    };
    std::vector<Route> table;
    table.push_back(
        {"GET", "/api/download-progress", Scope::read, reply(progress), Dialect::openai});
    table.push_back(
        {"POST", "/api/download-model", Scope::admin, reply(download), Dialect::openai});
    return table;
}

}  // namespace routerd
