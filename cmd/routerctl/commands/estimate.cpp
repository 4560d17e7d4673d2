#include <ostream>

#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

std::string bytes_text(std::uint64_t bytes) {
    return bytes == 0 ? "" : format_bytes(bytes);
}

void show_devices(const Context& context, const api::Estimate& estimate) {
    const bool is_wide = context.format.kind == Format::Kind::wide;
    std::vector<std::string> headings{"DEVICE", "WEIGHTS", "KV",    "COMPUTE",
                                      "MMPROJ", "OTHER",   "TOTAL", "FREE"};
    if (is_wide) {
        headings.emplace_back("USABLE");
    }
    Table table(headings);
    for (const auto& device : estimate.devices) {
        std::vector<Cell> row{device.device,
                              bytes_text(device.weights_bytes),
                              bytes_text(device.kv_bytes),
                              bytes_text(device.compute_bytes),
                              bytes_text(device.mmproj_bytes),
                              bytes_text(device.other_bytes),
                              format_bytes(device.needed_bytes),
                              format_bytes(device.free_bytes)};
        if (is_wide) {
            row.emplace_back(format_bytes(device.usable_bytes));
        }
        table.add(std::move(row));
    }
    table.print(context.out(), context.colors);
}

std::string basis_of(const api::Estimate& estimate) {
    auto text = std::to_string(estimate.slots) + (estimate.slots == 1 ? " slot" : " slots");
    if (estimate.context_per_slot != 0) {
        text += " of " + std::to_string(estimate.context_per_slot) + " tokens";
    }
    if (estimate.gpu_layers != 0) {
        text += ", " + std::to_string(estimate.gpu_layers) + " layers on GPUs";
    }
    text += estimate.learned ? "; as a load of it took"
                             : "; estimated, for no load of just this was seen yet";
    if (estimate.growth_bytes != 0) {
        text += "; requests may add up to " + format_bytes(estimate.growth_bytes);
    }
    return text;
}

Style style_of_verdict(const std::string& verdict) {
    if (verdict == "fits" || verdict == "loaded") {
        return Style::good;
    }
    return verdict == "would_not_fit" ? Style::bad : Style::busy;
}

void show_estimate(const Context& context, const api::Estimate& estimate) {
    if (!estimate.devices.empty()) {
        show_devices(context, estimate);
        context.out() << escaped(basis_of(estimate)) << '\n';
    }
    context.out() << escaped(estimate.model) << ": "
                  << context.colors.paint(escaped(estimate.verdict),
                                          style_of_verdict(estimate.verdict))
                  << ": " << escaped(estimate.reason) << '\n';
    for (const auto& eviction : estimate.evict) {
        context.out() << "would unload " << escaped(eviction.model) << ": "
                      << escaped(eviction.reason) << '\n';
    }
}

int run_estimate(Context& context, const api::EstimateRequest& request) {
    const auto estimate = context.client.estimate(request);
    if (!estimate) {
        return context.fail(estimate.error());
    }
    const int code = print_value(context, *estimate, estimate->model,
                                 [&] { show_estimate(context, *estimate); });
    return worst(code, estimate->verdict == "would_not_fit" ? exit_refused : exit_ok);
}

}  // namespace

void add_estimate(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand(
        "estimate", "Say what loading a model would need, whether it fits and what it would evict");
    auto request = std::make_shared<api::EstimateRequest>();
    add_model(*command, request->model);
    command->add_option("--ctx", request->context, "with a context of so many tokens for each slot")
        ->type_name("N");
    command->add_option("--parallel", request->parallel, "with so many slots")->type_name("N");
    command
        ->add_option("--cache-type", request->cache_type,
                     "with keys and values of this type, such as q8_0")
        ->type_name("TYPE");
    command->footer("Exits with 5 when the model would not fit even alone.");
    set_action(*command, invocation, request, run_estimate);
}

}  // namespace routerd::ctl
