#include "cmd/routerctl/interrupt.hpp"

#include <csignal>
#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

namespace routerd::ctl {
namespace {

// A signal handler can reach nothing but globals.
volatile std::sig_atomic_t event_fd = -1;
volatile std::sig_atomic_t pending = 0;

void on_signal(int number) {
    const std::uint64_t one = 1;
    if (pending != 0 || ::write(event_fd, &one, sizeof one) != sizeof one) {
        ::_exit(128 + number);
    }
    pending = 1;
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
    event_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_fd >= 0) {
        handle(SIGINT, on_signal);
        handle(SIGTERM, on_signal);
    }
}

Interrupt::~Interrupt() {
    handle(SIGINT, SIG_DFL);
    handle(SIGTERM, SIG_DFL);
    if (event_fd >= 0) {
        ::close(event_fd);
        event_fd = -1;
    }
}

int Interrupt::fd() const noexcept {
    return event_fd;
}

bool Interrupt::raised() const noexcept {
    return pending != 0;
}

void Interrupt::clear() noexcept {
    std::uint64_t count = 0;
    if (::read(event_fd, &count, sizeof count) == sizeof count) {
        pending = 0;
    }
}

}  // namespace routerd::ctl
