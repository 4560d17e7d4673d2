#include "daemon/devices/processor.hpp"

#include <algorithm>

#include "common/base/text.hpp"
#include "daemon/devices/small_file.hpp"

namespace routerd {

bool has_tiles(const Roots& roots) {
    const auto text = read_small_file(roots.proc + "/cpuinfo");
    if (!text) {
        return false;
    }
    const auto flags = split(text_field(*text, "flags"), ' ');  // of the first; all are alike
    const auto has = [&flags](const char* flag) {
        return std::ranges::find(flags, flag) != flags.end();
    };
    return has("amx_int8") && has("avx512_vnni");
}

}  // namespace routerd
