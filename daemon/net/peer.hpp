#pragma once

#include <vector>

#include <sys/types.h>

#include "common/base/result.hpp"

namespace routerd {

/// Who connected to a Unix socket, as the kernel says.
struct Peer {
    uid_t user = 0;
    std::vector<gid_t> groups;  ///< the first is its own, the others it is a member of
    pid_t process = 0;          ///< as seen from here
};

/// Of a connected socket (SO_PEERCRED and SO_PEERGROUPS, unix(7)). Errors: unavailable.
Result<Peer> peer_of(int socket);

/// Root, the user `owner`, and members of `group`.
bool is_trusted(const Peer& peer, uid_t owner, gid_t group) noexcept;

}  // namespace routerd
