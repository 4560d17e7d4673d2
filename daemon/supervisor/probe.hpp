#pragma once

#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/gate/gate.hpp"
#include "daemon/net/net.hpp"

namespace routerd {

/// Asks a model's server one short question, each time on a new connection: llama-server closes
/// those that it answers while it loads. One question at a time; core loop.
class Probe {
  public:
    struct Answer {
        unsigned status = 0;
        std::string body;  ///< at most 256 KiB
    };

    explicit Probe(const asio::any_io_executor& executor) : socket_(executor), timer_(executor) {}

    /// GET `path`. Errors: unavailable when nobody listens or it breaks off, deadline_exceeded,
    /// upstream_error when the answer is no HTTP, cancelled, internal when we lack descriptors or
    /// memory and nothing was asked. Await it at once.
    asio::awaitable<Result<Answer>> get(const Endpoint& endpoint, std::string path,
                                        TimePoint deadline);

    /// Ends a get() that waits.
    void cancel();

  private:
    asio::awaitable<Result<Answer>> exchange(const Endpoint& endpoint, std::string request);
    Error why(const std::string& attempt, const boost::system::error_code& error) const;

    Socket socket_;
    asio::steady_timer timer_;
    bool cancelled_ = false;
};

}  // namespace routerd
