#include "daemon/backends/remote/remote.hpp"

namespace routerd {

const BackendInfo& Remote::info() const noexcept {
    static constexpr BackendInfo info{.name = "remote",
                                      .summary = "a server on another machine, by its URL",
                                      .is_elsewhere = true};
    return info;
}

Result<CommandLine> Remote::command_line(const Model& model, const Config& /*config*/,
                                         const ListenAt& /*listen*/,
                                         const DevicePlan& /*plan*/) const {
    return Error(Errc::load_failed, "nothing is started for '" + model.id + "': its server is " +
                                        model.settings.url.value_or("elsewhere"));
}

unsigned Remote::slots(const Model& model, const Config& /*config*/) const {
    return model.settings.parallel.value_or(most_slots);
}

std::uint64_t Remote::context(const Model& model, const Config& /*config*/) const {
    return model.settings.context.value_or(0);
}

}  // namespace routerd
