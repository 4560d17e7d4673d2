#include <ostream>

#include <nlohmann/json.hpp>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"

namespace routerd::ctl {
namespace {

int run_version(Context& context) {
    const auto status = context.client.status();
    nlohmann::json versions{{"client", ROUTERD_VERSION}, {"daemon", nullptr}};
    if (status) {
        versions["daemon"] = status->version;
    }
    return print_json(context, versions.dump(), ROUTERD_VERSION, [&] {
        context.out() << "routerctl " << ROUTERD_VERSION << '\n'
                      << "routerd   " << (status ? escaped(status->version) : "not reachable")
                      << '\n';
    });
}

}  // namespace

void add_version(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("version", "Print the versions of both programs");
    set_action(*command, invocation, run_version);
}

}  // namespace routerd::ctl
