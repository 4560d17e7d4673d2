#include "daemon/proxy/account.hpp"

#include <exception>
#include <utility>

#include "common/base/log.hpp"
#include "daemon/net/turn_time.hpp"

namespace routerd {

Account::~Account() {
    record.took = std::chrono::duration_cast<std::chrono::microseconds>(turn_now() - begun_);
    if (record.status == 0) {  // an exception
        record.status = 500;
    }
    try {
        sink_(std::move(record));
    } catch (const std::exception& e) {
        spdlog::error("account for a request: {}", e.what());
    }
}

}  // namespace routerd
