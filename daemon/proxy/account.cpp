#include "daemon/proxy/account.hpp"

#include <exception>
#include <utility>

#include <spdlog/spdlog.h>

namespace routerd {

Account::~Account() {
    record.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - begun_);
    try {
        sink_(std::move(record));
    } catch (const std::exception& e) {
        spdlog::error("account for a request: {}", e.what());
    }
}

}  // namespace routerd
