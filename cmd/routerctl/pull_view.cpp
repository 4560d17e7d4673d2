#include "cmd/routerctl/pull_view.hpp"

#include <ostream>

#include <poll.h>
#include <sys/stat.h>

#include "cmd/routerctl/editor.hpp"
#include "cmd/routerctl/line_reader.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

std::string value_in(const Environment& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

/// Whether the locale's characters are UTF-8; POSIX says which variable decides.
bool locale_is_utf8(const Environment& environment) {
    for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const auto value = to_lower(value_in(environment, name));
        if (!value.empty()) {
            return value.find("utf-8") != std::string::npos ||
                   value.find("utf8") != std::string::npos;
        }
    }
    return false;
}

/// Whether the daemon may be back soon: it went away, or is about to.
bool has_gone(Errc code) {
    return code == Errc::unreachable || code == Errc::upstream_error ||
           code == Errc::shutting_down || code == Errc::unavailable;
}

/// Lets a moment pass; false when the user wants to stop.
bool let_pass(const Interrupt& interrupt) {
    pollfd watched{.fd = interrupt.fd(), .events = POLLIN, .revents = 0};
    ::poll(&watched, 1, 200);
    return !interrupt.raised();
}

/// To its end, over restarts of the daemon.
Result<api::Pull> stay_with(Context& context, PullView& view, const std::string& id,
                            std::chrono::milliseconds wait_for_daemon) {
    std::optional<TimePoint> lost;
    const auto take = [&](const api::Pull& pull) {
        if (lost) {
            view.say("the daemon is back");
            lost.reset();
        }
        view.show(pull);
    };
    for (;;) {
        auto end = context.client.follow_pull(id, take);
        if (end || !has_gone(end.error().code())) {
            return end;
        }
        const auto now = steady_now();
        if (!lost) {
            lost = now;
            view.say("the daemon went away; waiting for it to come back");
        }
        if (now - *lost >= wait_for_daemon) {
            return Error(Errc::unreachable,
                         "the daemon did not come back within " + format_duration(wait_for_daemon));
        }
        if (!let_pass(context.interrupt)) {
            return Error(Errc::cancelled, "interrupted");
        }
    }
}

void tell_way_back(const Context& context, const std::string& id) {
    const auto safe = escaped(id);
    context.note("pull " + safe + " goes on without you");
    context.terminal.err << "  come back:  routerctl pulls attach " << safe
                         << "\n  pause it:   routerctl pulls pause " << safe
                         << "\n  cancel it:  routerctl pulls rm " << safe << '\n'
                         << std::flush;
}

int stopped_following(const Context& context, const Error& error, const std::string& id) {
    const auto attach = "routerctl pulls attach " + id;
    if (error.code() == Errc::cancelled && context.interrupt.raised()) {
        tell_way_back(context, id);
        return exit_interrupted;
    }
    if (error.code() == Errc::unreachable) {
        return context.fail(error.with_hint("when it runs again: " + attach));
    }
    if (error.code() == Errc::deadline_exceeded) {
        return context.fail(error.with_hint("the pull goes on; come back with: " + attach));
    }
    return context.fail(error);
}

/// Why it is at rest without being complete.
int tell_trouble(const Context& context, const api::Pull& pull) {
    if (pull.state == "paused" && pull.error.empty()) {
        context.note("pull " + pull.id + " is paused; to go on: routerctl pulls resume " + pull.id);
        return exit_inactive;
    }
    const auto code = errc_from_string(pull.code).value_or(Errc::unavailable);
    const auto error = Error(code, pull.error).within("pull '" + pull.name + "'");
    const auto resume = "to go on: routerctl pulls resume " + pull.id;
    return context.fail(error.with_hint(pull.hint.empty() ? resume : pull.hint));
}

int tell_end(const Context& context, const api::Pull& pull) {
    int code = exit_ok;
    if (context.format.kind == Format::Kind::json || context.format.kind == Format::Kind::words) {
        code = print_value(context, pull, pull.id, [] {});
    } else if (pull.state == "complete") {
        for (const auto& model : pull.models) {
            print_name(context, model);
        }
    }
    return pull.state == "complete" ? code : worst(code, tell_trouble(context, pull));
}

}  // namespace

PullView::PullView(const Context& context)
    : context_(context),
      screen_(context.terminal.err),
      quiet_(context.format.kind == Format::Kind::quiet),
      draws_(context.terminal.err_is_tty && value_in(context.environment, "TERM") != "dumb"),
      utf8_(locale_is_utf8(context.environment)) {}

void PullView::show(const api::Pull& pull) {
    if (quiet_) {
        return;
    }
    for (; notes_ < pull.notes.size(); ++notes_) {
        say(pull.notes[notes_]);
    }
    if (draws_) {
        draw(pull);
    } else {
        tell(pull);
    }
}

void PullView::say(std::string_view text) {
    if (!draws_ || quiet_) {
        context_.note(text);
        return;
    }
    screen_.say("routerctl: " + escaped(text), size_of_terminal(context_.terminal.err_fd).width);
}

void PullView::leave() {
    if (draws_ && !quiet_) {
        screen_.leave();
    }
}

void PullView::draw(const api::Pull& pull) {
    const auto size = size_of_terminal(context_.terminal.err_fd);
    const Look look{
        .width = size.width, .rows = size.rows, .utf8 = utf8_, .colors = context_.err_colors};
    screen_.draw(render_progress(pull, look), size.width);
}

void PullView::tell(const api::Pull& pull) {
    auto& err = context_.terminal.err;
    const auto trouble = pull.state == "retrying" ? pull.error : std::string();
    if (trouble != trouble_ && !trouble.empty()) {
        err << escaped(pull.name) << ": retrying: " << escaped(trouble) << '\n' << std::flush;
    }
    trouble_ = trouble;
    if (!pull.size && pull.done == 0) {
        return;
    }
    if (sized_ != pull.size.has_value()) {
        sized_ = pull.size.has_value();
        step_.reset();
    }
    const std::uint64_t step = pull.size ? percent_of(pull.done, *pull.size) / 10 : pull.done / gib;
    if (!step_ || step > *step_) {
        step_ = step;
        err << escaped(progress_in_words(pull)) << '\n' << std::flush;
    }
}

int follow_pull(Context& context, const api::Pull& pull,
                std::chrono::milliseconds wait_for_daemon) {
    PullView view(context);
    view.show(pull);
    const auto end = api::is_at_rest(pull) ? Result<api::Pull>(pull)
                                           : stay_with(context, view, pull.id, wait_for_daemon);
    view.leave();
    return end ? tell_end(context, *end) : stopped_following(context, end.error(), pull.id);
}

Result<std::string> read_token(const Context& context, const std::string& path) {
    struct stat about {};
    if (path != "-" && ::stat(path.c_str(), &about) == 0 &&
        (about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        context.note("others may read '" + path + "', which holds a token: chmod 600 it");
    }
    LineReader input(context.terminal.in_fd, context.interrupt.fd());
    const auto text = path == "-" ? input.rest() : read_file(path);
    if (!text) {
        return text.error().within("--token-file");
    }
    const auto token = trim(*text);
    if (token.empty()) {
        return Error(Errc::invalid_request, "--token-file '" + path + "' holds no token");
    }
    return std::string(token);
}

}  // namespace routerd::ctl
