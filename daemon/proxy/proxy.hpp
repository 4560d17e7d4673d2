#pragma once

#include <functional>

#include "common/config/schema.hpp"
#include "daemon/catalog/model.hpp"
#include "daemon/http/routes.hpp"
#include "daemon/http/upstream.hpp"
#include "daemon/proxy/account.hpp"

namespace routerd {

class Fleet;

/// The proxied path: from a request with its body read to the last byte of its answer. Owned by
/// App, core loop only.
class Proxy {
  public:
    struct Services {
        IoLoop& loop;
        Fleet& fleet;
        std::function<SnapshotPtr()> catalog;
        Account::Sink account;
    };

    Proxy(Services services, const Config& config);

    /// The inference endpoints and /upstream/…; the Proxy must outlive the table.
    std::vector<Route> routes();

    void apply(const Config& config) { limits_ = config.limits; }

    /// Requests in progress, and all since the start.
    struct Totals {
        std::uint64_t requests = 0;
        std::uint64_t failed = 0;
    };
    const Totals& totals() const noexcept { return totals_; }

  private:
    friend class Pipeline;
    void account(const Record& record);

    Services services_;
    LimitsConfig limits_;
    UpstreamPool pool_;
    Account::Sink sink_;
    Totals totals_;
};

}  // namespace routerd
