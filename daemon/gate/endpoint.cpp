#include "daemon/gate/gate.hpp"

namespace routerd {

std::string Endpoint::text() const {
    if (remote) {
        return remote->url;
    }
    return unix_path.empty() ? "127.0.0.1:" + std::to_string(port) : "unix:" + unix_path;
}

}  // namespace routerd
