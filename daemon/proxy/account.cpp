#include "daemon/proxy/account.hpp"

#include <exception>

#include <spdlog/spdlog.h>

namespace routerd {

Account::~Account() {
    record.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begun_);
    try {
        sink_(record);
    } catch (const std::exception& e) {
        spdlog::error("account for request {}: {}", record.request_id, e.what());
    }
}

}  // namespace routerd
