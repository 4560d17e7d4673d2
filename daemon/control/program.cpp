#include "daemon/control/program.hpp"

#include "daemon/supervisor/fleet.hpp"

namespace routerd {

Result<std::string> server_program(const Fleet& fleet) {
    Model any;
    any.id = "any";
    any.files = {"/any.gguf"};
    const auto command = fleet.command_line(any);
    if (!command) {
        return command.error();
    }
    return command->argv.front();
}

}  // namespace routerd
