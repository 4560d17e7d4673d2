#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include <boost/container/flat_map.hpp>

#include "common/base/time.hpp"
#include "daemon/scheduler/ids.hpp"
#include "daemon/scheduler/priority.hpp"

namespace routerd::scheduler {

/// How much of one model's time each key had, so that keys share it equally: start-time fair
/// queueing (Goyal, Vin, Cheng 1996) with the time that slots are held as its cost. A key that
/// comes anew starts at the level of him who was served last: nobody saves up, nobody pays twice.
class Shares {
  public:
    using Time = std::chrono::milliseconds;

    /// A request of `key` waits from now on.
    void join(const std::string& key);

    /// It got a slot and is expected to hold it for `expected`.
    void grant(const std::string& key, Time expected);

    /// It gave it back after `held`.
    void settle(const std::string& key, Time expected, Time held);

    Time used(const std::string& key) const;

    /// Somebody holds a slot.
    bool in_use() const noexcept { return held_ > 0; }

    /// Nobody holds one and nobody waits: all begin anew.
    void forget() noexcept {
        used_.clear();
        level_ = Time(0);
    }
    bool empty() const noexcept { return used_.empty(); }

  private:
    std::size_t held_ = 0;
    // Keeps its memory: with one request at a time it is forgotten after each.
    boost::container::flat_map<std::string, Time> used_;
    Time level_{0};  // of him who was served last, before it
};

/// Those who wait for one model's slots. Next is one of the highest band that has any; in it one of
/// the key that had the least time; of these the one whose deadline is nearest, where no deadline
/// counts as ten minutes after its coming. Who has waited for `aging` rises by a band, so that none
/// waits for ever. A value; logarithmic in those who wait.
class Line {
  public:
    struct Entry {
        TicketId ticket = 0;
        std::string key;
        Priority priority = Priority::normal;
        TimePoint since;
        TimePoint deadline = TimePoint::max();
    };

    void add(Entry entry, Shares::Time used);
    void remove(TicketId ticket);

    /// What `key` has had changed to `used`.
    void update(const std::string& key, Shares::Time used);

    /// Not for an empty line. `aging`: see above.
    TicketId next(TimePoint now, std::chrono::milliseconds aging);

    bool empty() const noexcept { return places_.empty(); }
    std::size_t size() const noexcept { return places_.size(); }

    /// How many are in a higher band or came earlier in the same, and 1; keys and deadlines may
    /// change that order. 0: it does not wait here.
    std::size_t position(TicketId ticket) const;

  private:
    using Order = std::set<std::pair<TimePoint, TicketId>>;
    struct Band {
        std::map<std::string, Order> by_key;                  // by deadline
        std::set<std::pair<Shares::Time, std::string>> keys;  // the least served first
        Order by_age;
    };
    struct Place {
        Entry entry;
        std::size_t band = 0;
        TimePoint due;
    };

    void put(const Place& place);
    void take(const Place& place);
    void lift(TimePoint now, std::chrono::milliseconds aging);

    std::array<Band, 3> bands_;
    std::unordered_map<TicketId, Place> places_;
    std::map<std::string, Shares::Time> used_;  // of the keys that wait
};

}  // namespace routerd::scheduler
