#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/devices/device.hpp"
#include "daemon/estimate/estimate.hpp"
#include "daemon/estimate/launch.hpp"
#include "daemon/process/exit_status.hpp"

namespace routerd {

/// What is started: argv[0] is the resolved path of the program.
struct CommandLine {
    std::vector<std::string> argv;
    std::size_t own_words = 0;                       ///< how many of the last ones the user wrote
    std::map<std::string, std::string> environment;  ///< added to the few variables passed through
};

/// Where a server shall listen.
struct ListenAt {
    std::string unix_path;  ///< empty: TCP on 127.0.0.1
    std::string port;       ///< decimal, or "{port}" where it is only shown
};

/// Plain facts about a kind of server.
struct BackendInfo {
    std::string_view name;      ///< value of [model."id"] backend
    std::string_view summary;   ///< one line for people
    bool unix_socket = false;   ///< can listen on one
    bool is_elsewhere = false;  ///< runs on another machine: nothing is started here
};

/// What one line of a server's log means to the supervisor.
struct LogHint {
    std::optional<unsigned> loaded_percent;
    bool is_error = false;
};

/// The GPUs that a build of a server can use.
struct GpuSupport {
    std::set<DeviceKind> kinds;  ///< of them those that the router can choose among
    bool has_others = false;     ///< of kinds that it knows nothing of

    bool operator==(const GpuSupport&) const = default;
};

/// Adds up what one server's log says of its memory, line by line.
class MemoryLog {
  public:
    virtual ~MemoryLog() = default;
    virtual void add(std::string_view line) = 0;

    /// Per device in parts; see Observed::logged.
    virtual std::vector<DeviceNeed> devices() const = 0;
};

/// One kind of model server: how it is started, asked and understood. Stateless; the list of all is
/// backends().
class Backend {
  public:
    virtual ~Backend() = default;

    virtual const BackendInfo& info() const noexcept = 0;

    /// A plan that is not decided adds nothing about devices but what the settings say. Errors:
    /// load_failed when the program is not there (says where it was looked for).
    virtual Result<CommandLine> command_line(const Model& model, const Config& config,
                                             const ListenAt& listen,
                                             const DevicePlan& plan) const = 0;

    /// Runs its program so that it lists the GPUs that it can use, and ends; empty: it cannot.
    virtual std::vector<std::string> device_question(const Config& /*config*/) const { return {}; }

    /// nullopt: `answer` is no such list.
    virtual std::optional<GpuSupport> read_devices(const std::string& /*answer*/) const {
        return std::nullopt;
    }

    /// For the log of one load; nullptr: a log of this kind says nothing of memory.
    virtual std::unique_ptr<MemoryLog> memory_log() const { return nullptr; }

    /// What a server started so (by a plan that is not decided) does to memory; nullopt: not known
    /// of this kind.
    virtual std::optional<LaunchParameters> launch_parameters(
        const CommandLine& /*command*/) const {
        return std::nullopt;
    }

    /// GET it: 200 is ready, 503 is loading.
    virtual std::string_view health_path() const noexcept = 0;

    /// Requests at a time, and tokens of context for each (0: not known).
    virtual unsigned slots(const Model& model, const Config& config) const = 0;
    virtual std::uint64_t context(const Model& model, const Config& config) const = 0;

    /// Where a ready server tells what it has, and tokens per slot in that answer's body. An empty
    /// path: it does not tell.
    virtual std::string_view properties_path() const noexcept = 0;
    virtual std::optional<std::uint64_t> read_context(const std::string& body) const = 0;

    /// These last lines of a server that ended say that somebody else has its port.
    virtual bool is_port_taken(const std::vector<std::string>& last_lines) const = 0;

    virtual LogHint read_line(std::string_view line) const = 0;

    /// Why it ended, in a sentence: the status in words and what its last lines say.
    virtual std::string explain_exit(const ExitStatus& status,
                                     const std::vector<std::string>& last_lines) const = 0;
};

/// Every kind there is; nullptr for an unknown name. An empty name is llama-server.
const std::vector<const Backend*>& backends();
const Backend* find_backend(std::string_view name);

/// That of a model: what its settings name, else what they imply. nullptr as above.
const Backend* backend_of(const Model& model);

bool is_elsewhere(const Model& model);

}  // namespace routerd
