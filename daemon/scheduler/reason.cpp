#include "daemon/scheduler/reason.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::scheduler {
namespace {

using std::chrono::seconds;

seconds rounded_up(std::chrono::milliseconds time) {
    return std::max(seconds(1), std::chrono::ceil<seconds>(time));
}

std::string times(std::size_t count) {
    return count == 1 ? "once" : std::to_string(count) + " times";
}

std::string group(const Reason& reason) {
    return "[group." + in_quotes(reason.group) + "] max_loaded = " + std::to_string(reason.limit);
}

std::string places(const Reason& reason) {
    const auto setting = reason.group.empty()
                             ? "[limits] max_loaded = " + std::to_string(reason.limit)
                             : group(reason);
    return reason.limit == 1 ? "the only place (" + setting + ")"
                             : "all " + std::to_string(reason.limit) + " places (" + setting + ")";
}

/// "it needs 12 GiB on 'cuda0', where 8 GiB are left".
std::string needs(const Reason& reason) {
    return "it needs " + format_bytes(reason.bytes) + " on " + in_quotes(reason.device) +
           ", where " + format_bytes(reason.free) + " are left";
}

std::string foreign_part(const Reason& reason) {
    return reason.foreign == 0 ? std::string()
                               : "; other processes use " + format_bytes(reason.foreign) + " there";
}

Error would_not_fit(const std::string& model, const Reason& reason) {
    const Error error(Errc::would_not_fit, "load " + in_quotes(model) + ": " + describe(reason));
    const auto wait = error.with_retry_after(seconds(60));
    if (reason.device.empty()) {
        return wait.with_hint("routerctl ps shows them; unpin one or raise max_loaded");
    }
    const Fit fit{.required = reason.bytes, .available = reason.free, .loaded = reason.models};
    return wait.with_fit(fit).with_hint(
        "a smaller context, fewer slots or a smaller cache type need "
        "less: routerctl set " +
        model + " context=8192");
}

Error quarantined(const std::string& model, const Reason& reason) {
    return Error(Errc::quarantined, "the model " + in_quotes(model) + " " + describe(reason))
        .with_retry_after(seconds(60))
        .with_hint("mend the cause, then: routerctl reset " + model);
}

Error failed_before(const std::string& model, const Reason& reason) {
    return Error(Errc::load_failed, "load " + in_quotes(model) + ": " + describe(reason))
        .with_retry_after(seconds(60))
        .with_hint("mend the cause, then: routerctl reset " + model);
}

Error backing_off(const std::string& model, const Reason& reason) {
    const auto delay = rounded_up(reason.time);
    return Error(Errc::load_failed, "the server of " + in_quotes(model) + " failed " +
                                        times(reason.count) + " and is not started again for " +
                                        format_duration(delay) + ": " + reason.detail)
        .with_retry_after(delay)
        .with_hint("mend the cause, then: routerctl reset " + model);
}

}  // namespace

std::string_view to_string(Why why) noexcept {
    switch (why) {
        case Why::requested:
            return "requested";
        case Why::more_wanted:
            return "more_wanted";
        case Why::commanded:
            return "commanded";
        case Why::preloaded:
            return "preloaded";
        case Why::makes_room:
            return "makes_room";
        case Why::door_closed:
            return "door_closed";
        case Why::over_the_limit:
            return "over_the_limit";
        case Why::yields:
            return "yields";
        case Why::idle_too_long:
            return "idle_too_long";
        case Why::unload_commanded:
            return "unload_commanded";
        case Why::restart_commanded:
            return "restart_commanded";
        case Why::settings_changed:
            return "settings_changed";
        case Why::model_gone:
            return "model_gone";
        case Why::shutting_down:
            return "shutting_down";
        case Why::drain_timed_out:
            return "drain_timed_out";
        case Why::queue_full:
            return "queue_full";
        case Why::quarantined:
            return "quarantined";
        case Why::failed_before:
            return "failed_before";
        case Why::backing_off:
            return "backing_off";
        case Why::start_failed:
            return "start_failed";
        case Why::stopped_loading:
            return "stopped_loading";
        case Why::would_not_fit:
            return "would_not_fit";
        case Why::all_pinned:
            return "all_pinned";
        case Why::no_room_for_extra:
            return "no_room_for_extra";
        case Why::deadline_passed:
            return "deadline_passed";
        case Why::unknown_model:
            return "unknown_model";
    }
    return "unknown";
}

// NOLINTNEXTLINE(readability-function-size): a table
std::string describe(const Reason& reason) {
    const auto time = format_duration(reason.time);
    switch (reason.why) {
        case Why::requested:
            return "a request waits for it";
        case Why::more_wanted:
            return "requests wait for a slot, and it may have another server";
        case Why::commanded:
            return "a command asked for it";
        case Why::preloaded:
            return "preloaded";
        case Why::makes_room:
            return "makes room for " + in_quotes(reason.other) + "; idle for " + time +
                   ", and the least costly to load again";
        case Why::door_closed:
            return "makes room for " + in_quotes(reason.other) + ", which waited " + time;
        case Why::over_the_limit:
            return reason.group.empty()
                       ? "more models are loaded than max_loaded = " + std::to_string(reason.limit)
                       : "more models of " + group(reason) + " are loaded than it allows";
        case Why::yields:
            return "other processes need " + format_bytes(reason.bytes) + " more on " +
                   in_quotes(reason.device) + ", and it is the least costly to load again";
        case Why::idle_too_long:
            return "idle for " + time;
        case Why::unload_commanded:
            return "unloaded by a command";
        case Why::restart_commanded:
            return "restarted by a command";
        case Why::settings_changed:
            return "its settings changed";
        case Why::model_gone:
            return "the model was removed or disabled";
        case Why::shutting_down:
            return "the daemon is stopping";
        case Why::drain_timed_out:
            return "requests still ran after " + time;
        case Why::queue_full:
            return std::to_string(reason.count) + " requests wait already";
        case Why::quarantined:
            return "failed " + times(reason.count) +
                   " in a row and is in quarantine: " + reason.detail;
        case Why::failed_before:
            return "its last load failed, so no other model makes room for it: " + reason.detail;
        case Why::backing_off:
            return "failed " + times(reason.count) + ", next start in " + time;
        case Why::start_failed:
            return reason.detail;
        case Why::stopped_loading:
            return "unloaded by a command while it was loading";
        case Why::would_not_fit:
            return needs(reason) + " for models" + foreign_part(reason);
        case Why::all_pinned:
            return reason.device.empty() ? "pinned models take " + places(reason)
                                         : needs(reason) + " beside pinned models";
        case Why::no_room_for_extra:
            return (reason.device.empty() ? "other models take " + places(reason)
                                          : needs(reason) + " beside other models") +
                   ", and a preload evicts none";
        case Why::deadline_passed:
            return "waited " + time;
        case Why::unknown_model:
            return "no such model, or it is disabled";
    }
    return {};
}

std::vector<std::pair<std::string, std::string>> details(const Reason& reason) {
    std::vector<std::pair<std::string, std::string>> all;
    all.emplace_back("reason", to_string(reason.why));
    if (!reason.other.empty()) {
        all.emplace_back("other", reason.other);
    }
    if (reason.time.count() > 0) {
        all.emplace_back("time_ms", std::to_string(reason.time.count()));
    }
    if (reason.count > 0) {
        all.emplace_back("count", std::to_string(reason.count));
    }
    if (reason.limit > 0) {
        all.emplace_back("limit", std::to_string(reason.limit));
    }
    if (!reason.detail.empty()) {
        all.emplace_back("detail", reason.detail);
    }
    if (!reason.group.empty()) {
        all.emplace_back("group", reason.group);
    }
    if (!reason.device.empty()) {
        all.emplace_back("device", reason.device);
        all.emplace_back("bytes", std::to_string(reason.bytes));
        all.emplace_back("free_bytes", std::to_string(reason.free));
        all.emplace_back("foreign_bytes", std::to_string(reason.foreign));
    }
    return all;
}

Error refusal(const std::string& model, const Reason& reason) {
    const auto name = in_quotes(model);
    if (reason.why == Why::queue_full) {
        return Error(Errc::queue_full, "the queue of " + name + " is full: " + describe(reason))
            .with_retry_after(rounded_up(reason.time))
            .with_hint("[queue] size sets the limit");
    }
    if (reason.why == Why::quarantined) {
        return quarantined(model, reason);
    }
    if (reason.why == Why::failed_before) {
        return failed_before(model, reason);
    }
    if (reason.why == Why::backing_off) {
        return backing_off(model, reason);
    }
    if (reason.why == Why::start_failed) {
        return Error(Errc::load_failed, "load " + name + ": " + reason.detail)
            .with_retry_after(rounded_up(reason.time))
            .with_hint("routerctl logs " + model);
    }
    if (reason.why == Why::stopped_loading) {
        return Error(Errc::load_failed, "load " + name + ": " + describe(reason))
            .with_retry_after(seconds(1));
    }
    if (reason.why == Why::all_pinned || reason.why == Why::no_room_for_extra ||
        reason.why == Why::would_not_fit) {
        return would_not_fit(model, reason);
    }
    if (reason.why == Why::deadline_passed) {
        return {Errc::deadline_exceeded, "the request for " + name + " " + describe(reason) +
                                             " in the queue, which is its deadline"};
    }
    if (reason.why == Why::shutting_down) {
        return Error(Errc::shutting_down, describe(reason)).with_retry_after(seconds(5));
    }
    if (reason.why == Why::unknown_model) {
        return Error(Errc::not_found, "model " + name + ": " + describe(reason))
            .with_hint("routerctl ls --all");
    }
    return {Errc::internal, "refused " + name + ": " + describe(reason)};
}

}  // namespace routerd::scheduler
