#include <algorithm>
#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

void show_check(const Context& context, const api::Check& check) {
    const auto style = check.status == "warning" ? Style::busy : style_of_state(check.status);
    context.out() << context.colors.paint(escaped(check.status), style)
                  << std::string(9 - std::min<std::size_t>(8, check.status.size()), ' ')
                  << escaped(check.name) << ": " << escaped(check.message) << '\n';
    if (!check.hint.empty()) {
        context.out() << "         hint: " << escaped(check.hint) << '\n';
    }
}

/// The first check is ours: whether the daemon can be asked at all.
api::Check check_of(const Result<api::CheckList>& answer, const client::Client& client) {
    api::Check check;
    check.name = "daemon";
    if (answer) {
        check.status = "ok";
        check.message = "answers at " + (client.address() ? client.address()->text() : "");
    } else {
        check.status = "failed";
        check.message = answer.error().message();
        check.hint = answer.error().hint();
    }
    return check;
}

int run_doctor(Context& context) {
    const auto answer = context.client.doctor();
    api::CheckList checks = answer ? *answer : api::CheckList{};
    checks.items.insert(checks.items.begin(), check_of(answer, context.client));
    int code = exit_ok;
    if (context.format.is_for_people()) {
        for (const auto& check : checks.items) {
            show_check(context, check);
        }
    } else {
        Layout<api::Check> layout;
        layout.id = [](const api::Check& check) { return check.name; };
        code = print_list(context, checks, layout);
    }
    const bool failed = std::any_of(checks.items.begin(), checks.items.end(),
                                    [](const auto& check) { return check.status == "failed"; });
    const int verdict = !answer  ? static_cast<int>(exit_code(answer.error().code()))
                        : failed ? static_cast<int>(exit_error)
                                 : static_cast<int>(exit_ok);
    return worst(code, verdict);
}

}  // namespace

void add_doctor(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("doctor", "Check what the daemon needs");
    set_action(*command, invocation, run_doctor);
}

}  // namespace routerd::ctl
