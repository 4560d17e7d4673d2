#include "common/http/names.hpp"

#include "common/base/text.hpp"

namespace routerd::http {

Name name_of(std::string_view text) noexcept {
    const auto is = [text](std::string_view name) { return iequals(text, name); };
    switch (text.size()) {
        case 2:
            return is("te") ? Name::te : Name::other;
        case 3:
            return is("via") ? Name::via : Name::other;
        case 4:
            return is("host") ? Name::host : is("date") ? Name::date : Name::other;
        case 6:
            return is("cookie")   ? Name::cookie
                   : is("expect") ? Name::expect
                   : is("origin") ? Name::origin
                   : is("server") ? Name::server
                                  : Name::other;
        case 7:
            return is("trailer")   ? Name::trailer
                   : is("upgrade") ? Name::upgrade
                   : is("alt-svc") ? Name::alt_svc
                                   : Name::other;
        case 9:
            return is("x-api-key") ? Name::x_api_key : Name::other;
        case 10:
            return is("connection")   ? Name::connection
                   : is("keep-alive") ? Name::keep_alive
                   : is("set-cookie") ? Name::set_cookie
                                      : Name::other;
        case 11:
            return is("retry-after") ? Name::retry_after : Name::other;
        case 12:
            return is("content-type")   ? Name::content_type
                   : is("x-request-id") ? Name::x_request_id
                                        : Name::other;
        case 13:
            return is("authorization") ? Name::authorization : Name::other;
        case 14:
            return is("content-length")   ? Name::content_length
                   : is("sec-fetch-site") ? Name::sec_fetch_site
                                          : Name::other;
        case 15:
            return is("accept-encoding") ? Name::accept_encoding : Name::other;
        case 16:
            return is("proxy-connection") ? Name::proxy_connection : Name::other;
        case 17:
            return is("transfer-encoding")   ? Name::transfer_encoding
                   : is("x-request-timeout") ? Name::x_request_timeout
                                             : Name::other;
        case 18:
            return is("proxy-authenticate")   ? Name::proxy_authenticate
                   : is("x-request-priority") ? Name::x_request_priority
                                              : Name::other;
        case 19:
            return is("proxy-authorization") ? Name::proxy_authorization : Name::other;
        case 25:
            return is("strict-transport-security") ? Name::strict_transport_security : Name::other;
        default:
            return Name::other;
    }
}

}  // namespace routerd::http
