#pragma once

#include <cstdint>
#include <string>

#include "daemon/control/request.hpp"

namespace routerd {

/// Which part of a list is wanted. Lists are in order of their keys, and a cursor is the last key
/// of the page before, so a page stays right when things come and go meanwhile.
struct Page {
    std::uint64_t limit = 0;  ///< 0: all
    std::string after;        ///< empty: from the beginning
};

inline Result<Page> read_page(const Exchange& exchange) {
    const auto limit = query_number(exchange, "limit", 0);
    if (!limit) {
        return limit.error();
    }
    return Page{*limit, exchange.query("cursor").value_or("")};
}

}  // namespace routerd
