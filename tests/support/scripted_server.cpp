#include "tests/support/scripted_server.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace routerd::test {
namespace {

std::string make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "routerd-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("mkdtemp failed");
    }
    return name;
}

UniqueFd listen_on(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::runtime_error("the temporary folder's path is too long for a socket");
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd.get(), 16) != 0) {
        throw std::runtime_error("cannot listen on " + path);
    }
    return fd;
}

std::size_t length_of_body(const std::string& head) {
    constexpr std::string_view name = "Content-Length: ";
    const auto at = head.find(name);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
}

SeenRequest read_request(int client) {
    std::string bytes;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto end = bytes.find("\r\n\r\n");
        const auto head = bytes.substr(0, end);
        if (end != std::string::npos && bytes.size() >= end + 4 + length_of_body(head)) {
            const auto line = head.substr(0, head.find(" HTTP/1.1"));
            return {.line = line, .head = head, .body = bytes.substr(end + 4)};
        }
        const auto count = ::recv(client, buffer.data(), buffer.size(), 0);
        if (count <= 0) {
            return {};
        }
        bytes.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

std::string streamed(std::string_view events) {
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", events.size());
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
           "Transfer-Encoding: chunked\r\n\r\n" +
           std::string(size.data()) + std::string(events) + "\r\n0\r\n\r\n";
}

}  // namespace

ScriptedServer::ScriptedServer()
    : folder_(make_folder()),
      listener_(listen_on(path())),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { serve(); }) {}

ScriptedServer::~ScriptedServer() {
    const std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) == sizeof one) {
        thread_.join();
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void ScriptedServer::answer(const std::string& line, std::string bytes) {
    const std::lock_guard lock(mutex_);
    answers_[line] = {Answer{.bytes = std::move(bytes), .hold = false}};
}

void ScriptedServer::answer_json(const std::string& line, std::string_view body,
                                 std::string_view status) {
    answer(line, "HTTP/1.1 " + std::string(status) +
                     "\r\nContent-Type: application/json\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

void ScriptedServer::answer_stream(const std::string& line, std::string_view events) {
    answer(line, streamed(events));
}

void ScriptedServer::answer_and_hold(const std::string& line, std::string bytes) {
    const std::lock_guard lock(mutex_);
    answers_[line] = {Answer{.bytes = std::move(bytes), .hold = true}};
}

void ScriptedServer::then(const std::string& line, std::string bytes) {
    const std::lock_guard lock(mutex_);
    answers_[line].push_back(Answer{.bytes = std::move(bytes), .hold = false});
}

void ScriptedServer::then_stream(const std::string& line, std::string_view events) {
    then(line, streamed(events));
}

std::vector<SeenRequest> ScriptedServer::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void ScriptedServer::serve() {
    for (;;) {
        std::array<pollfd, 2> watched{pollfd{.fd = listener_.get(), .events = POLLIN, .revents = 0},
                                      pollfd{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
        ::poll(watched.data(), watched.size(), -1);
        if (watched[1].revents != 0) {
            return;
        }
        const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (client) {
            serve_one(client.get());
        }
    }
}

void ScriptedServer::serve_one(int client) {
    const auto request = read_request(client);
    Answer answer{.bytes = "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n",
                  .hold = false};
    {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request);
        const auto found = answers_.find(request.line);
        if (found != answers_.end()) {
            answer = found->second.front();
            if (found->second.size() > 1) {
                found->second.pop_front();
            }
        }
    }
    ::send(client, answer.bytes.data(), answer.bytes.size(), MSG_NOSIGNAL);
    if (answer.hold) {
        std::array<pollfd, 2> watched{pollfd{.fd = client, .events = POLLIN, .revents = 0},
                                      pollfd{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
        ::poll(watched.data(), watched.size(), -1);
    }
}

}  // namespace routerd::test
