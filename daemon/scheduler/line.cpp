#include "daemon/scheduler/line.hpp"

#include <algorithm>
#include <iterator>

namespace routerd::scheduler {
namespace {

/// When a request without a deadline is taken to be due.
constexpr auto patience = std::chrono::minutes(10);

TimePoint due_of(const Line::Entry& entry) {
    return std::min(entry.deadline, entry.since + patience);
}

}  // namespace

void Shares::join(const std::string& key) {
    auto& used = used_.try_emplace(key, level_).first->second;
    used = std::max(used, level_);
}

void Shares::grant(const std::string& key, Time expected) {
    auto& used = used_[key];
    level_ = std::max(level_, used);
    used += expected;
    ++held_;
}

void Shares::settle(const std::string& key, Time expected, Time held) {
    used_[key] += held - expected;
    --held_;
}

Shares::Time Shares::used(const std::string& key) const {
    const auto found = used_.find(key);
    return found == used_.end() ? level_ : found->second;
}

void Line::add(Entry entry, Shares::Time used) {
    update(entry.key, used);
    const auto ticket = entry.ticket;
    Place place{.entry = std::move(entry), .band = 0, .due = {}};
    place.band = static_cast<std::size_t>(place.entry.priority);
    place.due = due_of(place.entry);
    used_[place.entry.key] = used;
    put(place);
    places_.emplace(ticket, std::move(place));
}

void Line::put(const Place& place) {
    auto& band = bands_.at(place.band);
    auto& requests = band.by_key[place.entry.key];
    if (requests.empty()) {
        band.keys.emplace(used_.at(place.entry.key), place.entry.key);
    }
    requests.emplace(place.due, place.entry.ticket);
    band.by_age.emplace(place.entry.since, place.entry.ticket);
}

void Line::take(const Place& place) {
    auto& band = bands_.at(place.band);
    band.by_age.erase({place.entry.since, place.entry.ticket});
    const auto requests = band.by_key.find(place.entry.key);
    requests->second.erase({place.due, place.entry.ticket});
    if (requests->second.empty()) {
        band.by_key.erase(requests);
        band.keys.erase({used_.at(place.entry.key), place.entry.key});
    }
}

void Line::remove(TicketId ticket) {
    const auto found = places_.find(ticket);
    if (found == places_.end()) {
        return;
    }
    const auto key = found->second.entry.key;
    take(found->second);
    places_.erase(found);
    const bool still_waits =
        std::ranges::any_of(bands_, [&key](const Band& band) { return band.by_key.contains(key); });
    if (!still_waits) {
        used_.erase(key);
    }
}

void Line::update(const std::string& key, Shares::Time used) {
    const auto known = used_.find(key);
    if (known == used_.end() || known->second == used) {
        return;
    }
    for (auto& band : bands_) {
        if (band.keys.erase({known->second, key}) > 0) {
            band.keys.emplace(used, key);
        }
    }
    known->second = used;
}

void Line::lift(TimePoint now, std::chrono::milliseconds aging) {
    for (std::size_t i = 1; i < bands_.size(); ++i) {
        auto& band = bands_.at(i);
        // From the lowest band, normal is reached after one time and high after two.
        while (!band.by_age.empty()) {
            auto& place = places_.at(band.by_age.begin()->second);
            const auto first = static_cast<std::size_t>(place.entry.priority);
            const auto risen = static_cast<int>(first - i) + 1;
            if (now - place.entry.since < aging * risen) {
                break;
            }
            take(place);
            --place.band;
            put(place);
        }
    }
}

TicketId Line::next(TimePoint now, std::chrono::milliseconds aging) {
    lift(now, aging);
    for (const auto& band : bands_) {
        if (!band.keys.empty()) {
            return band.by_key.at(band.keys.begin()->second).begin()->second;
        }
    }
    return 0;
}

std::size_t Line::position(TicketId ticket) const {
    const auto found = places_.find(ticket);
    if (found == places_.end()) {
        return 0;
    }
    std::size_t before = 0;
    for (std::size_t i = 0; i < found->second.band; ++i) {
        before += bands_.at(i).by_age.size();
    }
    const auto& order = bands_.at(found->second.band).by_age;
    const auto place = order.find({found->second.entry.since, ticket});
    return before + static_cast<std::size_t>(std::distance(order.begin(), place)) + 1;
}

}  // namespace routerd::scheduler
