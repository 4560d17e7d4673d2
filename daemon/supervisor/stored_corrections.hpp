#pragma once

#include "daemon/supervisor/correction_rows.hpp"

namespace routerd {

class Store;

/// The rows in the daemon's database. Owned by App; the Store must outlive it.
class StoredCorrections : public CorrectionRows {
  public:
    explicit StoredCorrections(Store& store) : store_(store) {}

    boost::asio::awaitable<Result<void>> put(CorrectionRow row) override;
    boost::asio::awaitable<Result<std::vector<CorrectionRow>>> all() override;

  private:
    Store& store_;
};

}  // namespace routerd
