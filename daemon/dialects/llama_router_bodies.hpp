#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "daemon/dialects/model_history.hpp"
#include "daemon/supervisor/instance_view.hpp"
#include "daemon/supervisor/reports.hpp"

/// The bodies of the llama-server router's dialect, made of what the services report. Memory is in
/// MiB, rounded up; times are RFC 3339; what is not known is null.
namespace routerd::llama_router {

using Body = nlohmann::json;
using DeviceBytes = std::map<std::string, std::uint64_t>;  ///< by device id

/// The machine at one moment: its devices and every server.
struct Machine {
    std::vector<DeviceReport> devices;
    std::vector<InstanceView> instances;
};

/// One model and the memory that its servers hold.
struct ModelReport {
    InstanceView view;  ///< of several servers the one that serves
    DeviceBytes held;
    ModelHistory::Record history;
};

/// The daemon itself, as clients of this dialect see it.
struct ServerReport {
    std::string_view status;  ///< a literal: "running", "degraded", "stopping"
    std::chrono::seconds uptime{0};

    bool operator==(const ServerReport&) const = default;
};

/// What GET /health tells. One that is not what it should be makes the whole "degraded".
struct HealthChecks {
    std::string_view gpu;          ///< "ok", "none" (the machine has none: as good), "failing"
    std::string_view manager;      ///< "ok", "failing"
    std::string_view http_client;  ///< "ok", "failing"

    bool good() const noexcept;
};

/// The contract's word for it: to its clients a server that drains is "stopping".
std::string_view word(InstanceState state) noexcept;

/// What the model's servers hold: on the host what their processes have, on a GPU what is reserved
/// for them. Empty when none lives.
DeviceBytes held_by(const std::string& model, const Machine& machine);

/// What is called VRAM in these bodies: all that is held on GPUs; of a model without any there what
/// it holds on the host.
std::uint64_t vram_of(const DeviceBytes& held);

/// Every GPU can be read, there is none, or one cannot.
std::string_view check_gpus(const std::vector<DeviceReport>& devices) noexcept;

/// "failing" when models are ready and none of their servers answered lately.
std::string_view check_servers(const std::vector<HealthReport>& reports) noexcept;

// Status.
Body status_body(const ModelReport& report);
Body server_body(const ServerReport& server);
Body all_status_body(const ServerReport& server, const std::vector<ModelReport>& models);
Body update_body(const ModelReport& report);
Body failed_body(const std::vector<InstanceView>& views);
Body queue_body(const std::map<std::string, QueueTotals>& totals);

/// `models`: the ids to tell about; those without a report never started.
Body health_models_body(const std::vector<std::string>& models,
                        const std::vector<HealthReport>& reports);
Body health_body(const HealthChecks& checks);

// Memory.
Body vram_body(const std::vector<DeviceReport>& devices, const std::vector<ModelReport>& models);
Body vram_summary_body(const std::vector<DeviceReport>& devices,
                       const std::vector<ModelReport>& models);
Body vram_model_body(const ModelReport& report);

/// Bytes in MiB, rounded up.
std::uint64_t in_mib(std::uint64_t bytes) noexcept;

/// As text; what is no UTF-8 (a server's last words) is replaced.
std::string text_of(const Body& body);

}  // namespace routerd::llama_router
