#include "tests/support/fake_llama_server/server.hpp"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fake {
namespace {

bool send_all(int client, const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto n = ::send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        sent += static_cast<std::size_t>(n);
    }
    return true;
}

bool send_json(int client, const std::string& status, const std::string& body, bool keep) {
    return send_all(client, "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" +
                                (keep ? "" : "Connection: close\r\n") + "Content-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body);
}

std::string chunk(const std::string& data) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size + data + "\r\n";
}

int bound_socket(const std::string& host, const std::string& port) {
    if (host.find('/') != std::string::npos) {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, host.c_str(), sizeof address.sun_path - 1);
        return ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
    }
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

std::size_t content_length(const std::string& head) {
    const auto at = head.find("ontent-Length:");
    const auto at_lower = head.find("ontent-length:");
    const auto found = at != std::string::npos ? at : at_lower;
    return found == std::string::npos ? 0 : std::strtoul(head.c_str() + found + 14, nullptr, 10);
}

}  // namespace

bool Server::listen(const std::string& host, const std::string& port) {
    const int fd = bound_socket(host, port);
    if (fd < 0 || ::listen(fd, 64) != 0) {
        std::fprintf(stderr,
                     "0.00.015.649 E srv start: couldn't bind HTTP server socket, hostname: %s\n",
                     host.c_str());
        return false;
    }
    std::thread([this, fd] {
        for (;;) {
            const int client = ::accept(fd, nullptr, nullptr);
            if (client >= 0) {
                std::thread([this, client] {
                    serve(client);
                    ::close(client);
                }).detach();  // lint: allowed, a process of its own that ends by a signal
            }
        }
    }).detach();  // lint: allowed, a process of its own that ends by a signal
    return true;
}

void Server::serve(int client) const {
    std::string bytes;
    for (;;) {
        auto end = bytes.find("\r\n\r\n");
        std::size_t whole = end == std::string::npos ? 0 : end + 4 + content_length(bytes);
        while (end == std::string::npos || bytes.size() < whole) {
            char part[4096];
            const auto n = ::recv(client, part, sizeof part, 0);
            if (n <= 0) {
                return;
            }
            bytes.append(part, static_cast<std::size_t>(n));
            end = bytes.find("\r\n\r\n");
            whole = end == std::string::npos ? 0 : end + 4 + content_length(bytes.substr(0, end));
        }
        const auto first = bytes.find(' ') + 1;
        const auto target = bytes.substr(first, bytes.find(' ', first) - first);
        if (!answer(client, target, bytes.substr(end + 4, whole - end - 4))) {
            return;
        }
        bytes.erase(0, whole);
    }
}

/// False: the connection ends.
bool Server::answer(int client, const std::string& target, const std::string& body) const {
    if (faults_.contains("hang-health")) {
        for (;;) {
            ::pause();
        }
    }
    if (!healthy) {
        send_json(client, "503 Service Unavailable",
                  R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})",
                  false);
        return false;
    }
    if (target == "/health") {
        return send_json(client, "200 OK", R"({"status":"ok"})", true);
    }
    if (target == "/props") {
        return send_json(client, "200 OK",
                         R"({"default_generation_settings":{"n_ctx":4096},"total_slots":)" +
                             std::to_string(slots_) + "}",
                         true);
    }
    if (target == "/v1/models") {
        return send_json(client, "200 OK", R"({"object":"list","data":[{"id":")" + alias_ + "\"}]}",
                         true);
    }
    if (target.ends_with("/chat/completions") || target.ends_with("/completions")) {
        complete(client, body.find("\"stream\":true") != std::string::npos);
        return true;
    }
    return send_json(
        client, "404 Not Found",
        R"({"error":{"code":404,"message":"File Not Found","type":"not_found_error"}})", true);
}

void Server::complete(int client, bool stream) const {
    if (stream) {
        stream_chunks(client);
        return;
    }
    send_json(client, "200 OK",
              R"({"object":"chat.completion","model":")" + alias_ +
                  R"(","choices":[{"index":0,"finish_reason":"stop","message":)"
                  R"({"role":"assistant","content":"fake answer"}}]})",
              true);
}

void Server::stream_chunks(int client) const {
    send_all(client,
             "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
             "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < number(faults_, "chunks", 3); ++i) {
        const auto event = R"(data: {"choices":[{"index":0,"delta":{"content":"word )" +
                           std::to_string(i) + "\"}}]}\n\n";
        if (!send_all(client, chunk(event))) {
            return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(number(faults_, "chunk-ms", 0)));
    }
    const auto end = faults_.find("stream-end");
    if (end != faults_.end() && end->second == "die") {
        std::raise(SIGKILL);
    }
    if (end != faults_.end() && end->second == "hang") {
        ::pause();
    }
    if (end != faults_.end() && end->second == "abort") {
        ::shutdown(client, SHUT_RDWR);
        return;
    }
    send_all(client, chunk("data: [DONE]\n\n") + "0\r\n\r\n");
}

}  // namespace fake
