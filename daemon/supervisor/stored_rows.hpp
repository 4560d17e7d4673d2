#pragma once

#include "daemon/supervisor/instance_rows.hpp"

namespace routerd {

class Store;

/// The rows in the daemon's database. Owned by App; the Store must outlive it.
class StoredRows : public InstanceRows {
  public:
    explicit StoredRows(Store& store) : store_(store) {}

    boost::asio::awaitable<Result<void>> insert(InstanceRow row) override;
    boost::asio::awaitable<Result<void>> remove(std::int64_t id) override;
    boost::asio::awaitable<Result<All>> all() override;

  private:
    Store& store_;
};

}  // namespace routerd
