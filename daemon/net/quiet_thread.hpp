#pragma once

#include <csignal>
#include <thread>
#include <utility>

#include <pthread.h>

namespace routerd {

/// A thread that no signal is delivered to: those are the main thread's. `name` (15 bytes at most)
/// is what ps and debuggers call it. Throws std::system_error where there can be no more.
template <class Run>
std::thread quiet_thread(const char* name, Run run) {
    struct Blocked {
        sigset_t before{};
        Blocked() {
            sigset_t all;
            ::sigfillset(&all);
            ::pthread_sigmask(SIG_SETMASK, &all, &before);
        }
        ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
        Blocked(const Blocked&) = delete;
        Blocked& operator=(const Blocked&) = delete;
    };
    const Blocked blocked;
    std::thread thread(std::move(run));
    ::pthread_setname_np(thread.native_handle(), name);
    return thread;
}

}  // namespace routerd
