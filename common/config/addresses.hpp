#pragma once

#include <string>

namespace routerd {

/// What is wrong with a public address (host:port, [v6]:port, both with or without http:// or
/// https://, unix:///path), or nothing.
std::string complain_about_address(const std::string& address);

/// Begins with https://.
bool is_tls_address(const std::string& address);

/// What is wrong with the path of a Unix socket, or nothing. Empty is fine: the default.
std::string complain_about_socket_path(const std::string& path);

/// True for Unix sockets, 127.0.0.0/8, [::1] and localhost. Call it with a good address.
bool is_local_address(const std::string& address);

}  // namespace routerd
