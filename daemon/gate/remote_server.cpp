#include "daemon/gate/remote_server.hpp"

#include <string_view>
#include <utility>

#include "common/http/url.hpp"
#include "daemon/net/tls_context.hpp"

namespace routerd {
namespace {

/// What is in front of "/v1/…" there.
std::string base_of(std::string_view target) {
    constexpr std::string_view version = "/v1";
    target = target.substr(0, target.find('?'));
    while (target.ends_with('/')) {
        target.remove_suffix(1);
    }
    if (target.ends_with(version)) {
        target.remove_suffix(version.size());
    }
    return std::string(target);
}

}  // namespace

Result<std::shared_ptr<const RemoteServer>> make_remote_server(const std::string& url,
                                                               std::string key,
                                                               std::string ca_file) {
    const auto parsed = http::parse_url(url);
    if (!parsed) {
        return parsed.error();
    }
    auto server = std::make_shared<RemoteServer>();
    server->address.host = parsed->origin.host;
    server->address.port = parsed->origin.port;
    server->url = parsed->shown();
    server->host = http::host_field(parsed->origin);
    server->base = base_of(parsed->target);
    server->key = std::move(key);
    server->ca_file = std::move(ca_file);
    if (parsed->origin.scheme == "https") {
        auto context = TlsClientContext::make(server->ca_file);
        if (!context) {
            return context.error();
        }
        server->address.tls = std::make_shared<const TlsClientContext>(std::move(*context));
    }
    return std::shared_ptr<const RemoteServer>(std::move(server));
}

}  // namespace routerd
