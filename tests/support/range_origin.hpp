#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/unique_fd.hpp"

namespace routerd::test {

/// Serves one file on a free loopback port, with ranges, a thread a connection; the destructor ends
/// them all.
class RangeOrigin {
  public:
    explicit RangeOrigin(std::string content, std::string etag = "\"v1\"")
        : content_(std::move(content)), etag_(std::move(etag)) {
        listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(listener_.get(), as_general(address), size) != 0 ||
            ::listen(listener_.get(), SOMAXCONN) != 0 ||
            ::getsockname(listener_.get(), as_general(address), &size) != 0) {
            throw std::system_error(errno, std::generic_category(), "RangeOrigin");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { accept_all(); });
    }
    ~RangeOrigin() {
        stopping_ = true;
        thread_.join();
    }
    RangeOrigin(const RangeOrigin&) = delete;
    RangeOrigin& operator=(const RangeOrigin&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/a.gguf"; }

    /// Ends each answer after so many bytes of its body; 0: does not.
    void cut_after(std::size_t bytes) { cut_after_ = bytes; }

    /// First bytes of the ranges that were asked for, in the order in which they came.
    std::vector<std::uint64_t> asked() const {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

  private:
    static sockaddr* as_general(sockaddr_in& address) {
        return reinterpret_cast<sockaddr*>(&address);
    }

    bool wait_for_input(int file) const {
        while (!stopping_) {
            pollfd entry{file, POLLIN, 0};
            if (::poll(&entry, 1, 20) > 0) {
                return true;
            }
        }
        return false;
    }

    void accept_all() {
        std::list<std::thread> connections;
        while (wait_for_input(listener_.get())) {
            UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            connections.emplace_back([this, file = client.release()] {
                const UniqueFd owned(file);
                serve(file);
            });
        }
        for (auto& connection : connections) {
            connection.join();
        }
    }

    void serve(int client) {
        std::string head;
        while (wait_for_input(client)) {
            std::array<char, 4096> buffer{};
            const auto count = ::recv(client, buffer.data(), buffer.size(), 0);
            if (count <= 0) {
                return;
            }
            head.append(buffer.data(), static_cast<std::size_t>(count));
            if (head.ends_with("\r\n\r\n")) {
                if (!answer(client, head)) {
                    return;
                }
                head.clear();
            }
        }
    }

    bool answer(int client, std::string_view head) {
        constexpr std::string_view field = "Range: bytes=";
        std::uint64_t first = 0;
        std::uint64_t last = content_.size() - 1;
        if (const auto found = head.find("\r\n" + std::string(field)); found != head.npos) {
            const auto text = head.substr(found + 2 + field.size());
            const auto [stop, error] = std::from_chars(text.begin(), text.end(), first);
            std::from_chars(stop + 1, text.end(), last);
        }
        {
            const std::lock_guard lock(mutex_);
            asked_.push_back(first);
        }
        last = std::min<std::uint64_t>(last, content_.size() - 1);
        const auto length = last - first + 1;
        auto text = "HTTP/1.1 206 Partial\r\nETag: " + etag_ +
                    "\r\nContent-Length: " + std::to_string(length) + "\r\nContent-Range: bytes " +
                    std::to_string(first) + "-" + std::to_string(last) + "/" +
                    std::to_string(content_.size()) + "\r\n\r\n";
        const auto cut = cut_after_.load();
        text += content_.substr(first, cut == 0 ? length : std::min<std::uint64_t>(cut, length));
        std::string_view left = text;
        while (!left.empty()) {
            const auto sent = ::send(client, left.data(), left.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            left.remove_prefix(static_cast<std::size_t>(sent));
        }
        return cut == 0;
    }

    std::string content_;
    std::string etag_;
    UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::size_t> cut_after_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::uint64_t> asked_;
    std::thread thread_;
};

}  // namespace routerd::test
