#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/backends/backend.hpp"
#include "daemon/estimate/estimate.hpp"

namespace routerd::llama {

/// Adds up what a llama-server's log says that it allocates, line by line as they come:
/// "… load_tensors:   CPU_Mapped model buffer size =   258.93 MiB". The server prints them with
/// --verbosity 4 and above. Other lines are looked at and forgotten. A second load in the same log
/// (a server that slept) begins anew.
class MemoryLines : public MemoryLog {
  public:
    void add(std::string_view line) override;

    /// What was named so far, per device, in parts; overhead is always 0. Buffers of the CPU and
    /// those that a GPU only reads ("CUDA_Host") are the host's.
    std::vector<DeviceNeed> devices() const override;

  private:
    /// A buffer that is allocated again while the server prepares: its last line counts.
    struct Buffer {
        std::size_t context = 0;  ///< a draft model has one of its own
        std::string source;       ///< the function that says it
        std::string name;         ///< "CUDA0"
        std::string kind;         ///< "compute"
        std::uint64_t bytes = 0;
    };

    void replace(Buffer buffer);

    std::size_t context_ = 0;
    std::map<std::string, DeviceBytes> sums_;
    std::vector<Buffer> buffers_;
};

}  // namespace routerd::llama
