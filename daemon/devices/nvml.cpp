#include "daemon/devices/nvml.hpp"

#include <string_view>

#include <dlfcn.h>

#include "common/base/text.hpp"

namespace routerd {
namespace {

template <class Function>
void find(void* library, const char* name, Function& function) {
    // POSIX dlsym(): data and function pointers have one representation.
    function = reinterpret_cast<Function>(::dlsym(library, name));
}

nvml::Api find_all(void* library) {
    nvml::Api api;
    find(library, "nvmlInit_v2", api.init);
    find(library, "nvmlShutdown", api.shutdown);
    find(library, "nvmlErrorString", api.error_string);
    find(library, "nvmlDeviceGetCount_v2", api.device_count);
    find(library, "nvmlDeviceGetHandleByIndex_v2", api.device_handle);
    find(library, "nvmlDeviceGetName", api.device_name);
    find(library, "nvmlDeviceGetUUID", api.device_uuid);
    find(library, "nvmlDeviceGetMemoryInfo", api.device_memory);
    find(library, "nvmlDeviceGetMemoryInfo_v2", api.device_memory_v2);
    find(library, "nvmlDeviceGetComputeRunningProcesses_v3", api.compute_processes);
    if (api.compute_processes == nullptr) {  // the same layout, driver 470 to 495
        find(library, "nvmlDeviceGetComputeRunningProcesses_v2", api.compute_processes);
    }
    return api;
}

bool is_complete(const nvml::Api& api) noexcept {
    return api.init != nullptr && api.shutdown != nullptr && api.error_string != nullptr &&
           api.device_count != nullptr && api.device_handle != nullptr &&
           api.device_name != nullptr && api.device_uuid != nullptr && api.device_memory != nullptr;
}

}  // namespace

void NvmlLibrary::Unload::operator()(void* library) const noexcept {
    ::dlclose(library);
}

Result<NvmlLibrary> NvmlLibrary::load(const std::string& name) {
    NvmlLibrary loaded;
    loaded.library_.reset(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!loaded.library_) {
        const char* reason = ::dlerror();
        const std::string why = escaped(reason == nullptr ? "no reason given" : reason);
        const bool is_absent = why.find("No such file") != std::string::npos;
        return Error(is_absent ? Errc::not_found : Errc::unavailable,
                     "load '" + escaped(name) + "': " + why);
    }
    loaded.api_ = find_all(loaded.library_.get());
    if (!is_complete(loaded.api_)) {
        return Error(Errc::unavailable,
                     "load '" + escaped(name) + "': it lacks functions of NVML, a newer driver has")
            .with_hint("update the NVIDIA driver");
    }
    return loaded;
}

}  // namespace routerd
