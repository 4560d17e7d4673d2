#pragma once

#include "daemon/backends/backend.hpp"

namespace routerd {

/// A server on another machine that speaks OpenAI's API: nothing is started for it, and how it is
/// doing is known from what it answers to requests.
class Remote final : public Backend {
  public:
    const BackendInfo& info() const noexcept override;
    /// Errors: load_failed, always: there is no command.
    Result<CommandLine> command_line(const Model& model, const Config& config,
                                     const ListenAt& listen, const DevicePlan& plan) const override;
    std::string_view health_path() const noexcept override { return {}; }

    /// [model] parallel; what it does not say that server decides.
    unsigned slots(const Model& model, const Config& config) const override;
    std::uint64_t context(const Model& model, const Config& config) const override;
    std::string_view properties_path() const noexcept override { return {}; }
    std::optional<std::uint64_t> read_context(const std::string& /*body*/) const override {
        return std::nullopt;
    }
    bool is_port_taken(const std::vector<std::string>& /*last_lines*/) const override {
        return false;
    }
    LogHint read_line(std::string_view /*line*/) const override { return {}; }
    std::string explain_exit(const ExitStatus& /*status*/,
                             const std::vector<std::string>& /*last_lines*/) const override {
        return {};
    }
};

}  // namespace routerd
