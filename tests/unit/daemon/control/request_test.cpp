#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"
#include "tests/unit/daemon/control/control_fixture.hpp"

namespace routerd::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// What the socket answers to these bytes, up to its close.
std::string ask(const std::string& path, const std::string& request) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
    const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    EXPECT_EQ(::connect(socket.get(), generic, sizeof(address)), 0);
    EXPECT_EQ(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    std::array<char, 4096> piece{};
    for (;;) {
        const auto size = ::recv(socket.get(), piece.data(), piece.size(), 0);
        if (size <= 0) {
            return answer;
        }
        answer.append(piece.data(), static_cast<std::size_t>(size));
    }
}

std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
}

std::string post(const std::string& target, const std::string& body) {
    return "POST " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct BadRequest {
    const char* name;
    std::string request;
    const char* complaint;
};

class BadRequestTest : public ControlTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedWithAReason) {
    live([this](Client&) {
        const auto answer = ask(loaded_.config.state.socket, GetParam().request);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
        EXPECT_THAT(answer, HasSubstr(GetParam().complaint));
        EXPECT_THAT(answer, HasSubstr(R"("code":"invalid_request")"));
    });
}

INSTANTIATE_TEST_SUITE_P(
    ControlTest, BadRequestTest,
    testing::Values(
        BadRequest{"Flag", get("/control/v1/models?all=maybe"),
                   "parameter 'all' must be true or false, not 'maybe'"},
        BadRequest{"Number", get("/control/v1/models?limit=-1"),
                   "parameter 'limit' must be a whole number, not '-1'"},
        BadRequest{"Time", get("/control/v1/logs?since=yesterday"), "parameter 'since' must be"},
        BadRequest{"Events", get("/control/v1/events?after=x"), "parameter 'after'"},
        BadRequest{"NotJson", post("/control/v1/switch", "{"), "request body"},
        BadRequest{"UnknownKey", post("/control/v1/switch", R"({"modle":"a"})"), "model"},
        BadRequest{"WrongType", post("/control/v1/switch", R"({"model":1})"), "'model'"},
        BadRequest{"Nobody", post("/control/v1/switch", ""), "names no model"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(ControlTest, ServesItsOwnContract) {
    live([this](Client&) {
        const auto answer = ask(loaded_.config.state.socket, get("/openapi.json"));
        const auto document = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
        for (const auto& route : daemon_->control.routes()) {
            const auto path =
                route.pattern == "/openapi.json" ? "/control/v1/status" : route.pattern;
            EXPECT_TRUE(document.at("paths").contains(path)) << path;
        }
    });
}

TEST_F(ControlTest, HeadOfAStreamIsOnlyItsHead) {
    live([this](Client&) {
        const auto answer = ask(loaded_.config.state.socket,
                                "HEAD /control/v1/events?follow=true HTTP/1.1\r\nHost: x\r\n"
                                "Connection: close\r\n\r\n");
        EXPECT_THAT(answer, HasSubstr("text/event-stream"));
        EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
    });
}

TEST_F(ControlTest, ShowsTheLogOfAnInstanceByItsNumber) {
    live([this](Client& client) {
        ASSERT_TRUE(client.load("a", client::Wait::until_done));
        const auto id = client.instances(client::Client::Which::running)->items.at(0).id;
        const auto path = "/control/v1/instances/" + std::to_string(id) + "/logs";
        const auto log = ask(loaded_.config.state.socket, get(path + "?lines=1"));
        EXPECT_THAT(log, StartsWith("HTTP/1.1 200 "));
        EXPECT_THAT(log, HasSubstr(R"("items":[{)"));
        const auto none = ask(loaded_.config.state.socket, get("/control/v1/instances/99/logs"));
        EXPECT_THAT(none, StartsWith("HTTP/1.1 404 "));
        EXPECT_THAT(none, HasSubstr("no instance '99' runs"));
    });
}

}  // namespace
}  // namespace routerd::test
