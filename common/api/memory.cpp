#include "common/api/memory.hpp"

#include "common/api/fields.hpp"

namespace routerd::api {

template <class Io>
void fields(Io& io, Of<Io, DeviceHolder> holder) {
    io("instance", holder.instance);
    io("model", holder.model);
    io("state", holder.state);
    io("reserved_bytes", holder.reserved_bytes);
}

template <class Io>
void fields(Io& io, Of<Io, DeviceMemory> device) {
    io("device", device.device);
    io("kind", device.kind);
    io("name", device.name);
    io("total_bytes", device.total_bytes);
    io("usable_bytes", device.usable_bytes);
    io("foreign_bytes", device.foreign_bytes);
    io("reserved_bytes", device.reserved_bytes);
    io("free_bytes", device.free_bytes);
    io("models", device.models);
    io("error", device.error);
}

ROUTERD_API_CODEC(DeviceHolder);
ROUTERD_API_CODEC(DeviceMemory);
ROUTERD_API_CODEC(DeviceMemoryList);

}  // namespace routerd::api
