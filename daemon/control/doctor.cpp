#include "daemon/control/doctor.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/text.hpp"
#include "common/base/units.hpp"

namespace routerd {
namespace {

namespace fs = std::filesystem;

std::string reason_of(int error_number) {
    return std::generic_category().message(error_number);
}

api::Check check_socket(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        return failed("control socket", "'" + path + "': " + reason_of(errno),
                      "somebody removed it: restart routerd");
    }
    constexpr mode_t for_all = S_IROTH | S_IWOTH;
    if ((info.st_mode & for_all) != 0) {
        return warned("control socket", "'" + path + "' may be used by everybody on this machine",
                      "chmod 0660 " + shell_quote(path));
    }
    return passed("control socket", path);
}

api::Check check_folder(const std::string& name, const std::string& path) {
    if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
        return failed(name, "'" + path + "': " + reason_of(errno),
                      "make it readable and writable for the user of routerd");
    }
    return passed(name, path);
}

api::Check check_space(const std::string& path) {
    constexpr std::uint64_t little = 1ULL << 30U;
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) {
        return warned("disk space", "'" + path + "': " + reason_of(errno), "");
    }
    const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
    const std::string message = format_bytes(free) + " free for '" + path + "'";
    if (free < little) {
        return warned("disk space", message, "free some: changes are refused on a full disk");
    }
    return passed("disk space", message);
}

api::Check check_models_dir(const std::string& path) {
    std::error_code error;
    if (!fs::exists(path, error)) {
        return warned("models directory", "'" + path + "' is not there",
                      "create it, or set [models] dirs");
    }
    if (::access(path.c_str(), R_OK | X_OK) != 0) {
        return failed("models directory", "'" + path + "': " + reason_of(errno),
                      "make it readable for the user of routerd");
    }
    return passed("models directory", path);
}

api::Check check_open_files() {
    constexpr rlim_t enough = 4096;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const std::string message = std::to_string(limit.rlim_cur) + " open files allowed";
    if (limit.rlim_cur < enough) {
        return warned("open files", message,
                      "raise it (LimitNOFILE= or ulimit -n): each connection needs one");
    }
    return passed("open files", message);
}

/// Vendors' libraries, which the programs that run models load by themselves.
api::Check check_gpus() {
    constexpr std::array<std::pair<const char*, const char*>, 3> libraries{
        std::pair{"libnvidia-ml.so.1", "NVIDIA"},
        {"libamdhip64.so", "AMD (HIP)"},
        {"libvulkan.so.1", "Vulkan"}};
    std::string found;
    for (const auto& [file, vendor] : libraries) {
        void* library = ::dlopen(file, RTLD_LAZY | RTLD_LOCAL);
        if (library != nullptr) {
            ::dlclose(library);
            found += (found.empty() ? "" : ", ") + std::string(vendor) + " (" + file + ")";
        }
    }
    return passed("GPU libraries",
                  found.empty() ? "none found: models run on the processor" : found);
}

}  // namespace

api::Check passed(std::string name, std::string message) {
    return {std::move(name), "ok", std::move(message), ""};
}

api::Check warned(std::string name, std::string message, std::string hint) {
    return {std::move(name), "warning", std::move(message), std::move(hint)};
}

api::Check failed(std::string name, std::string message, std::string hint) {
    return {std::move(name), "failed", std::move(message), std::move(hint)};
}

std::vector<api::Check> check_surroundings(const Config& config) {
    std::vector<api::Check> checks;
    checks.push_back(check_socket(config.state.socket));
    checks.push_back(check_folder("state directory", config.state.dir));
    checks.push_back(check_folder("runtime directory", config.state.runtime_dir));
    checks.push_back(check_space(config.state.dir));
    for (const auto& dir : config.models.dirs) {
        checks.push_back(check_models_dir(dir));
    }
    checks.push_back(check_open_files());
    checks.push_back(check_gpus());
    return checks;
}

}  // namespace routerd
