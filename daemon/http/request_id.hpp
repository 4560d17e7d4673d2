#pragma once

#include <string>
#include <string_view>

namespace routerd {

/// A client's own id is kept when it is short and cannot do harm in a log line or a header.
bool is_sane_request_id(std::string_view id) noexcept;

/// Sets it to one that no other request has: "req-" and 64 random bits in eleven digits and
/// letters. So it is as long as a std::string holds without memory of its own, wherever it is
/// copied to. Any thread.
void set_new_request_id(std::string& id);

}  // namespace routerd
