#pragma once

#include "daemon/backends/backend.hpp"

namespace routerd {

/// llama.cpp's server. It listens before it loads, answers 503 on /health while it loads, and says
/// little by its exit status; its log lines "M.SS.mmm.uuu E where: what" say why.
class LlamaServer : public Backend {
  public:
    const BackendInfo& info() const noexcept override;
    Result<CommandLine> command_line(const Model& model, const Config& config,
                                     const ListenAt& listen, const DevicePlan& plan) const override;
    std::vector<std::string> device_question(const Config& config) const override;
    std::optional<GpuSupport> read_devices(const std::string& answer) const override;
    std::unique_ptr<MemoryLog> memory_log() const override;
    std::optional<LaunchParameters> launch_parameters(const CommandLine& command) const override;
    std::string_view health_path() const noexcept override { return "/health"; }
    unsigned slots(const Model& model, const Config& config) const override;
    std::uint64_t context(const Model& model, const Config& config) const override;
    std::string_view properties_path() const noexcept override { return "/props"; }
    std::optional<std::uint64_t> read_context(const std::string& body) const override;
    bool is_port_taken(const std::vector<std::string>& last_lines) const override;
    LogHint read_line(std::string_view line) const override;
    std::string explain_exit(const ExitStatus& status,
                             const std::vector<std::string>& last_lines) const override;
};

}  // namespace routerd
