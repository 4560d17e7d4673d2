#include "daemon/net/peer.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

namespace routerd {
namespace {

/// Those that it is a member of beside its own; none where the kernel does not say.
std::vector<gid_t> other_groups(int socket) {
    std::vector<gid_t> groups(32);
    for (;;) {
        auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        const int result = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes);
        const int error = errno;
        groups.resize(result == 0 || error == ERANGE ? bytes / sizeof(gid_t) : 0);
        if (result == 0 || error != ERANGE) {
            return groups;
        }
    }
}

}  // namespace

Result<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return errno_error("ask who connected", errno);
    }
    Peer peer{credentials.uid, {credentials.gid}, credentials.pid};
    const auto others = other_groups(socket);
    peer.groups.insert(peer.groups.end(), others.begin(), others.end());
    return peer;
}

bool is_trusted(const Peer& peer, uid_t owner, gid_t group) noexcept {
    return peer.user == 0 || peer.user == owner ||
           std::ranges::find(peer.groups, group) != peer.groups.end();
}

}  // namespace routerd
