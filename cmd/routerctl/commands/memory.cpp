#include "cmd/routerctl/commands/all.hpp"
#include "cmd/routerctl/invocation.hpp"
#include "cmd/routerctl/output/printer.hpp"
#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd::ctl {
namespace {

std::string models_on(const api::DeviceMemory& device) {
    std::vector<std::string> models;
    for (const auto& holder : device.models) {
        models.push_back(holder.model + " " + format_bytes(holder.reserved_bytes));
    }
    return join(models, ", ");
}

Layout<api::DeviceMemory> memory_layout() {
    using Row = api::DeviceMemory;
    using When = Column<Row>::When;
    Layout<Row> layout;
    layout.id = [](const Row& device) { return device.device; };
    layout.columns = {
        {"DEVICE", [](const Row& d) { return Cell(d.device); }},
        {"NAME", [](const Row& d) { return Cell(d.name); }},
        {"TOTAL", [](const Row& d) { return Cell(format_bytes(d.total_bytes)); }},
        {"USABLE", [](const Row& d) { return Cell(format_bytes(d.usable_bytes)); }},
        {"FOREIGN", [](const Row& d) { return Cell(format_bytes(d.foreign_bytes)); }},
        {"RESERVED", [](const Row& d) { return Cell(format_bytes(d.reserved_bytes)); }},
        {"FREE", [](const Row& d) { return Cell(format_bytes(d.free_bytes)); }},
        {"MODELS", [](const Row& d) { return Cell(models_on(d)); }, When::wide},
        {"ERROR", [](const Row& d) { return Cell(d.error); }, When::wide},
    };
    return layout;
}

int run_memory(Context& context) {
    const auto list = context.client.memory();
    return list ? print_list(context, *list, memory_layout()) : context.fail(list.error());
}

}  // namespace

void add_memory(CLI::App& root, Invocation& invocation) {
    auto* command = root.add_subcommand("memory", "Show the memory of devices and who has it");
    command->alias("vram");
    set_action(*command, invocation, run_memory);
}

}  // namespace routerd::ctl
