#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace routerd::http {

/// The fields that somebody here asks about, so that each name is compared once.
enum class Name : std::uint8_t {
    other,
    accept_encoding,
    alt_svc,
    authorization,
    connection,
    content_length,
    content_type,
    cookie,
    date,
    expect,
    host,
    keep_alive,
    origin,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    retry_after,
    sec_fetch_site,
    server,
    set_cookie,
    strict_transport_security,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    via,
    x_api_key,
    x_request_id,
    x_request_priority,
    x_request_timeout,
};

/// In any case of letters.
Name name_of(std::string_view text) noexcept;

/// Some of them.
class NameSet {
  public:
    constexpr NameSet(std::initializer_list<Name> names) noexcept {
        for (const auto name : names) {
            bits_ |= bit(name);
        }
    }
    constexpr bool has(Name name) const noexcept { return (bits_ & bit(name)) != 0; }

  private:
    static constexpr std::uint64_t bit(Name name) noexcept {
        return std::uint64_t{1} << static_cast<unsigned>(name);
    }
    std::uint64_t bits_ = 0;
};

}  // namespace routerd::http
