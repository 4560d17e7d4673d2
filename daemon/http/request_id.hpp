#pragma once

#include <string>
#include <string_view>

namespace routerd {

/// A client's own id is kept when it is short and cannot do harm in a log line or a header.
bool is_sane_request_id(std::string_view id) noexcept;

/// Sets it to one that no other request has: "req-" and 16 hexadecimal digits. Any thread.
void set_new_request_id(std::string& id);

}  // namespace routerd
