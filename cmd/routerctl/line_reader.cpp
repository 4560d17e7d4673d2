#include "cmd/routerctl/line_reader.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace routerd::ctl {

Result<bool> LineReader::fill() {
    for (;;) {
        std::array<pollfd, 2> watched{pollfd{.fd = fd_, .events = POLLIN, .revents = 0},
                                      pollfd{.fd = stop_fd_, .events = POLLIN, .revents = 0}};
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
            return errno_error("wait for input", errno);
        }
        if (watched[1].revents != 0) {
            pending_.clear();
            return Error(Errc::cancelled, "interrupted");
        }
        if (watched[0].revents == 0) {
            continue;
        }
        std::array<char, 4096> buffer{};
        const auto count = ::read(fd_, buffer.data(), buffer.size());
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            return errno_error("read the input", errno);
        }
        if (count >= 0) {
            pending_.append(buffer.data(), static_cast<std::size_t>(count));
            return count > 0;
        }
    }
}

Result<std::optional<std::string>> LineReader::next() {
    for (;;) {
        const auto end = pending_.find('\n');
        if (end != std::string::npos) {
            std::string line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            return std::optional(std::move(line));
        }
        const auto more = fill();
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return pending_.empty() ? std::nullopt : std::optional(std::exchange(pending_, {}));
        }
    }
}

Result<std::string> LineReader::rest() {
    for (;;) {
        const auto more = fill();
        if (!more) {
            return more.error();
        }
        if (!*more) {
            return std::exchange(pending_, {});
        }
    }
}

}  // namespace routerd::ctl
