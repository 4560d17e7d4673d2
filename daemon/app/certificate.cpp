#include "daemon/app/certificate.hpp"

#include <algorithm>
#include <utility>

#include "common/config/addresses.hpp"

namespace routerd {

Result<std::optional<TlsContext>> load_certificate(const HttpConfig& config) {
    if (std::none_of(config.listen.begin(), config.listen.end(), is_tls_address)) {
        return std::optional<TlsContext>();
    }
    auto loaded = TlsContext::load(config.tls_certificate, config.tls_key);
    if (!loaded) {
        return loaded.error();
    }
    return std::optional<TlsContext>(std::move(*loaded));
}

}  // namespace routerd
