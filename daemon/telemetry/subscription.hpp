#pragma once

#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <utility>

namespace routerd {

/// Keeps a callback registered for as long as it lives. May outlive what it is registered with.
/// Core loop only.
class Subscription {
  public:
    Subscription() = default;
    explicit Subscription(std::function<void()> leave) : leave_(std::move(leave)) {}
    Subscription(Subscription&& other) noexcept : leave_(std::exchange(other.leave_, nullptr)) {}
    Subscription& operator=(Subscription&& other) noexcept {
        std::swap(leave_, other.leave_);
        return *this;
    }
    ~Subscription() {
        if (leave_) {
            leave_();
        }
    }

  private:
    std::function<void()> leave_;
};

/// Calls everyone who subscribed, in that order. Callbacks may subscribe and leave while they run;
/// they must not wait.
template <class... Values>
class Broadcast {
  public:
    using Callback = std::function<void(const Values&...)>;

    Subscription subscribe(Callback callback) {
        listeners_->push_back(std::make_shared<Callback>(std::move(callback)));
        const auto entry = std::prev(listeners_->end());
        const std::weak_ptr<Listeners> listeners = listeners_;
        return Subscription([listeners, entry] {
            if (const auto alive = listeners.lock()) {
                alive->erase(entry);
            }
        });
    }

    void tell(const Values&... values) const {
        const Listeners now(*listeners_);  // they may come and go meanwhile
        for (const auto& listener : now) {
            if (listener.use_count() > 1) {  // still subscribed
                (*listener)(values...);
            }
        }
    }

  private:
    using Listeners = std::list<std::shared_ptr<Callback>>;  // the list, and a tell() in progress

    std::shared_ptr<Listeners> listeners_ =
        std::make_shared<Listeners>();  // this, and weakly each Subscription
};

}  // namespace routerd
