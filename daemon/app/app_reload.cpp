// The part of the daemon that takes a changed configuration, whole or not at all.
#include <chrono>
#include <string>
#include <utility>

#include "common/base/log.hpp"
#include "common/config/keys.hpp"
#include "daemon/app/app.hpp"
#include "daemon/app/certificate.hpp"
#include "daemon/app/notify.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/telemetry/logging.hpp"

namespace routerd {
namespace {

void tell_what_waits_for_a_start(const Config& before, const Config& now) {
    for (const auto& key : difference(before, now)) {
        if (needs_restart(key)) {
            spdlog::warn("{} has changed: that takes effect with the next start", key);
        }
    }
}

}  // namespace

asio::awaitable<Result<void>> App::reload() {
    const auto turn = co_await reloads_.enter();  // or the older file could be the last in force
    if (leaving_) {
        co_return Error(Errc::conflict, "reload: another process has taken over; it is its to do");
    }
    const auto now = steady_now().time_since_epoch();
    const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
    auto renewed = co_await read_again();
    auto used = renewed ? use(*renewed) : Result<void>(renewed.error());
    notify_service_manager("READY=1");
    if (!used) {
        co_return used.error().within("reload: the configuration stays as it was");
    }
    pulls_.apply(loaded_.config);
    const auto applied = co_await catalog_.apply(loaded_.config);
    spdlog::info("configuration reloaded");
    co_return applied;
}

asio::awaitable<void> App::reload_by_signal() {
    const auto reloaded = co_await reload();
    if (!reloaded) {
        spdlog::error("{}", reloaded.error().message());
    }
}

/// Whatever a changed configuration needs from the disk.
asio::awaitable<Result<App::Renewed>> App::read_again() {
    const auto options = load_;
    auto read = [options]() -> Result<LoadedConfig> { return load_config(options); };
    auto loaded = co_await run_on(pool_, std::move(read));
    if (!loaded) {
        co_return loaded.error();
    }
    if (!loaded->usable()) {
        std::string problems;
        for (const auto& problem : loaded->problems) {
            problems += "\n  " + to_text(problem);
        }
        co_return Error(Errc::invalid_request, problems);
    }
    auto doors = doors_.changed_to(loaded->config);
    if (!doors) {
        co_return doors.error();
    }
    const HttpConfig http = loaded->config.http;
    auto read_certificate = [http] { return load_certificate(http); };
    auto certificate = co_await run_on(pool_, std::move(read_certificate));
    if (!certificate) {
        co_return certificate.error();
    }
    auto authenticator = co_await read_authenticator(loaded->config, doors->loopback_only());
    if (!authenticator) {
        co_return authenticator.error();
    }
    co_return Renewed{std::move(*loaded), std::move(*doors), std::move(*certificate),
                      std::move(*authenticator)};
}

/// Errors: those of change_logging() and Doors::change(); all is as it was then.
Result<void> App::use(Renewed& renewed) {
    const auto& config = renewed.loaded.config;
    const auto opened = change_logging(config.log);
    if (!opened) {
        return opened.error();
    }
    const auto changed = doors_.change(io_, server_, renewed.doors);
    if (!changed) {
        const auto back = change_logging(loaded_.config.log);
        static_cast<void>(back);  // where that fails, the new one is as good
        return changed.error();
    }
    doors_ = std::move(renewed.doors);
    use(std::move(renewed.certificate));
    let_in(std::move(renewed.authenticator));
    let_in_by_kept_keys();  // one may have gone while the files were read
    tell_what_waits_for_a_start(loaded_.config, config);
    loaded_ = std::move(renewed.loaded);
    server_.use(loaded_.config.http);
    proxy_.apply(loaded_.config);
    for (const auto& worker : workers_) {
        worker->apply(loaded_.config);
    }
    fleet_.apply(loaded_.config);
    return {};
}

}  // namespace routerd
