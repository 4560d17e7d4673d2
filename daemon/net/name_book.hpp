#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "daemon/net/mailbox.hpp"
#include "daemon/net/net.hpp"
#include "daemon/net/signal.hpp"

namespace routerd {

/// Where hosts are, by name. What was found is good for half a minute, unless it is said before
/// that it does not work any more. Loop thread only; the system is asked by threads of its own,
/// which nobody waits for: one that never hears of its answer holds nothing up, not even the end of
/// the process.
class NameBook {
  public:
    using Endpoint = asio::generic::stream_protocol::endpoint;
    using Addresses = std::vector<Endpoint>;  ///< TCP, the best first
    /// Asks, and takes as long as that takes. Any thread.
    using Lookup = std::function<Result<Addresses>(const std::string& host, std::uint16_t port)>;

    explicit NameBook(asio::any_io_executor executor, Lookup lookup = ask_system);
    NameBook(const NameBook&) = delete;
    NameBook& operator=(const NameBook&) = delete;
    ~NameBook() = default;

    struct Found {
        Addresses addresses;    ///< at least one
        bool is_fresh = false;  ///< asked for just now
    };

    /// Those who ask for one name at once share one answer. Errors: unavailable (there is no such
    /// name, or nobody who knows, or too many are being asked for), deadline_exceeded.
    asio::awaitable<Result<Found>> find(std::string host, std::uint16_t port, TimePoint deadline);

    /// What was found does not work: the next find() asks anew.
    void forget(const std::string& host, std::uint16_t port);

    /// By the hosts file, DNS and whatever else nsswitch.conf names (getaddrinfo(3)); an address
    /// is its own.
    static Result<Addresses> ask_system(const std::string& host, std::uint16_t port);

  private:
    using Key = std::pair<std::string, std::uint16_t>;
    struct Known {
        Addresses addresses;
        TimePoint until;
    };
    /// One that a thread asks the system.
    struct Question {
        std::optional<Result<Addresses>> answer;
        std::list<Signal*> waiting;
    };
    /// What the thread says.
    struct Answer {
        Key key;
        Result<Addresses> addresses;
    };

    Result<std::shared_ptr<Question>> ask(const Key& key);
    void take(Answer answer);

    asio::any_io_executor executor_;
    Lookup lookup_;
    Mailbox<Answer> answers_;
    std::map<Key, Known> known_;
    std::map<Key, std::shared_ptr<Question>> asked_;  // not answered yet
};

}  // namespace routerd
