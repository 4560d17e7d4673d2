#include <array>
#include <cerrno>
#include <fstream>
#include <ostream>

#include <poll.h>

extern "C" {  // glibc 2.36 declares these without C linkage
#include <sys/pidfd.h>
}

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/base/unique_fd.hpp"

namespace routerd::ctl {
namespace {

struct ShutdownOptions {
    bool keep_models = false;
    bool no_wait = false;
};

/// Empty where the daemon is not on this machine, or in a container of its own, whose process
/// numbers are not ours.
UniqueFd open_daemon(const Context& context, std::uint64_t pid) {
    const auto& address = context.client.address();
    if (!address || address->path.empty()) {
        return {};
    }
    UniqueFd process(::pidfd_open(static_cast<pid_t>(pid), 0));
    std::string name;
    std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> name;
    return name == "routerd" ? std::move(process) : UniqueFd();
}

/// Errors: cancelled, by Ctrl-C; the daemon goes on stopping then.
Result<void> wait_for_end(const Context& context, const UniqueFd& process) {
    std::array<pollfd, 2> events{{{.fd = process.get(), .events = POLLIN, .revents = 0},
                                  {.fd = context.interrupt.fd(), .events = POLLIN, .revents = 0}}};
    while (::poll(events.data(), events.size(), -1) < 0) {
        if (errno != EINTR) {
            return errno_error("wait for routerd to stop", errno);
        }
    }
    if (events.front().revents == 0) {
        return Error(Errc::cancelled,
                     "not waiting any more; routerd stops when the requests that "
                     "run are answered");
    }
    return {};
}

void show_result(const Context& context, const api::ShutdownResult& result, bool has_ended) {
    context.out() << "routerd (process " << result.pid
                  << (has_ended ? ") has stopped\n" : ") is stopping\n");
    for (const auto& model : result.models) {
        context.out() << (result.keep_models ? "goes on: " : "stopped: ") << escaped(model) << '\n';
    }
}

int run_shutdown(Context& context, const ShutdownOptions& options) {
    const auto result = context.client.shutdown({.keep_models = options.keep_models});
    if (!result) {
        return context.fail(result.error());
    }
    const auto process = options.no_wait ? UniqueFd() : open_daemon(context, result->pid);
    if (process) {
        const auto ended = wait_for_end(context, process);
        if (!ended) {
            return context.fail(ended.error());
        }
    }
    return print_value(context, *result, "",
                       [&] { show_result(context, *result, static_cast<bool>(process)); });
}

}  // namespace

void add_shutdown(CLI::App& root, Invocation& invocation) {
    auto* command =
        root.add_subcommand("shutdown", "Stop the daemon when the requests that run are answered");
    auto options = std::make_shared<ShutdownOptions>();
    command->add_flag("--keep-models", options->keep_models,
                      "leave the model servers running, for the next daemon");
    command->add_flag("--no-wait", options->no_wait, "return when it has begun to stop");
    set_action(*command, invocation, options, run_shutdown);
}

}  // namespace routerd::ctl
