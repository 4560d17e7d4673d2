#pragma once

#include <functional>

#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/http/upstream.hpp"
#include "daemon/proxy/account.hpp"

namespace routerd {

class Gate;

/// The proxied path: from a request with its body read to the last byte of its answer. Owned by
/// App or a Worker; its loop's thread only.
class Proxy {
  public:
    struct Services {
        IoLoop& loop;
        Gate& gate;
        std::function<SnapshotPtr()> catalog;
        Account::Sink account;
    };

    Proxy(Services services, const Config& config);

    /// The inference endpoints and /upstream/…; the Proxy must outlive the table.
    std::vector<Route> routes();

    /// Lets go of what is kept for further requests, of which there will be none.
    void close() { pool_.close(); }

    void apply(const Config& config) {
        limits_ = config.limits;
        counts_requests_ =
            config.rate_limit.requests_per_minute != 0 || config.rate_limit.tokens_per_minute != 0;
    }

  private:
    friend class Pipeline;
    Services services_;
    LimitsConfig limits_;
    bool counts_requests_ = false;  ///< [rate_limit] bounds them
    UpstreamPool pool_;
};

}  // namespace routerd
