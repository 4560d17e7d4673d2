#include "daemon/control/doctor.hpp"

#include <utility>

#include "common/api/status.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/control/control.hpp"
#include "daemon/control/handlers/handlers.hpp"
#include "daemon/control/program.hpp"
#include "daemon/control/request.hpp"
#include "daemon/net/run_on.hpp"
#include "daemon/store/store.hpp"
#include "daemon/supervisor/fleet.hpp"

namespace routerd::control {
namespace {

using Checks = std::vector<api::Check>;

api::Check check_program(const Fleet& fleet) {
    const auto program = server_program(fleet);
    if (!program) {
        return failed("llama-server", program.error().message(), program.error().hint());
    }
    return passed("llama-server", *program);
}

/// The first thing that SQLite finds wrong, or "ok".
Result<std::string> check_integrity(Database& database) {
    auto check = database.prepare("PRAGMA integrity_check(1)");
    if (!check) {
        return check.error();
    }
    std::string finding;
    const auto done = check->each({}, [&finding](const SqlRow& row) { finding = row.text(0); });
    if (!done) {
        return done.error();
    }
    return finding;
}

api::Check judge_database(const OpenReport& report, const Result<std::string>& finding) {
    if (!finding) {
        return failed("database", finding.error().message(), finding.error().hint());
    }
    if (*finding != "ok") {
        return failed("database", *finding,
                      "restart routerd: it moves a damaged database aside and starts anew");
    }
    if (!report.moved_aside.empty()) {
        return warned("database",
                      "the one before was damaged (" + report.problem + ") and lies in '" +
                          report.moved_aside + "'",
                      "set your overrides anew, or restore a backup; delete that file then");
    }
    return passed("database", "whole");
}

void add_models(Checks& checks, const Snapshot& snapshot, const Fleet& fleet) {
    const auto count = std::to_string(snapshot.models.size());
    if (snapshot.models.empty()) {
        checks.push_back(warned("models", "none found",
                                "fetch one with routerctl pull, or put a GGUF file into a models "
                                "directory, then: routerctl rescan"));
    } else {
        checks.push_back(passed("models", count + " found"));
    }
    for (const auto& broken : snapshot.broken) {
        checks.push_back(
            warned("models", "'" + broken.path + "' is not offered: " + broken.reason, ""));
    }
    for (const auto& view : fleet.instances()) {
        if (view.state == InstanceState::failed || view.state == InstanceState::crashed) {
            checks.push_back(
                failed("model " + view.model, view.last_error,
                       "routerctl logs " + view.model + "; then: routerctl reset " + view.model));
        }
    }
}

}  // namespace

Reply doctor(Control& control, Exchange& /*exchange*/) {
    auto& services = control.services();
    api::CheckList list;
    for (const auto& problem : services.daemon().problems) {
        list.items.push_back(warned("daemon", problem, ""));
    }
    for (const auto& note : services.config().notes) {
        list.items.push_back(warned("configuration", note, ""));
    }
    auto look = [config = services.config().config] { return check_surroundings(config); };
    const auto surroundings = co_await run_on(services.pool, std::move(look));
    list.items.insert(list.items.end(), surroundings.begin(), surroundings.end());
    auto check = [](Database& database) { return check_integrity(database); };
    const auto finding = co_await services.store.run(std::move(check));
    list.items.push_back(judge_database(services.store.report(), finding));
    list.items.push_back(check_program(services.fleet));
    add_models(list.items, *services.catalog.snapshot(), services.fleet);
    for (const auto& address : services.daemon().addresses) {
        list.items.push_back(passed("listening", address));
    }
    co_return json_reply(list);
}

}  // namespace routerd::control
