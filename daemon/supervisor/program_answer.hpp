#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "common/base/result.hpp"
#include "common/config/schema.hpp"

namespace routerd {

/// What a program that ends by itself prints, both streams together; of more than 64 KiB the first
/// part. It gets the environment of a model server. Core loop. Errors: load_failed when it cannot
/// be started or does not end well; deadline_exceeded (it is killed then).
boost::asio::awaitable<Result<std::string>> answer_of(std::vector<std::string> argv,
                                                      Duration limit);

}  // namespace routerd
