#pragma once

#include <vector>

#include <boost/asio/awaitable.hpp>

#include "common/base/result.hpp"
#include "daemon/store/corrections.hpp"

namespace routerd {

/// Where what loads taught is kept, over restarts of the daemon. An interface so that the fleet's
/// tests need no database; the daemon's is StoredCorrections. Core loop only.
class CorrectionRows {
  public:
    virtual ~CorrectionRows() = default;

    /// Adds or replaces by fingerprint.
    virtual boost::asio::awaitable<Result<void>> put(CorrectionRow row) = 0;

    /// The oldest first.
    virtual boost::asio::awaitable<Result<std::vector<CorrectionRow>>> all() = 0;
};

}  // namespace routerd
