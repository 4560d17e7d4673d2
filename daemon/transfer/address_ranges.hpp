#pragma once

#include <string_view>

#include <sys/socket.h>

namespace routerd::transfer {

/// Why an address is not one of the public internet: "loopback", "private", "link-local", …;
/// empty for one that is. What stands for another address (IPv4-mapped, NAT64, 6to4, Teredo) is
/// never public: where it leads is not for us to follow. `address` is a whole sockaddr_in or
/// sockaddr_in6, as its family says; other families are not public.
std::string_view why_not_public(const sockaddr& address) noexcept;

}  // namespace routerd::transfer
