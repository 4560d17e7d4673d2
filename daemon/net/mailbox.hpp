#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

namespace routerd {

/// Messages to the loop of its executor, in the order of each sender. Those that come while the
/// loop is busy wake it once. Used on that loop's thread, but for what an Address does.
template <class Message>
class Mailbox {
    struct Box {
        explicit Box(const boost::asio::any_io_executor& at) : executor(at) {}

        const boost::asio::any_io_executor executor;
        std::function<void(Message&&)> take;  // the loop's; empty: nobody reads them any more
        std::vector<Message> taken;           // the loop's: memory that is used again
        std::mutex mutex;
        std::vector<Message> waiting;  // under the mutex
        std::mutex life;
        bool is_closed = false;  // written under both: the loop may be gone
    };

  public:
    /// Where to send to. Any thread; it may outlive the mailbox and its loop, and what is sent then
    /// is lost.
    class Address {
      public:
        Address() = default;  ///< nowhere: of no use but to be assigned to

        void send(Message message) const {
            bool is_first = false;
            {
                const std::lock_guard lock(box_->mutex);
                if (box_->is_closed) {
                    return;
                }
                is_first = box_->waiting.empty();
                box_->waiting.push_back(std::move(message));
            }
            if (is_first) {
                wake();
            }
        }

      private:
        friend class Mailbox;
        explicit Address(std::shared_ptr<Box> box) : box_(std::move(box)) {}

        /// Not under the queue's mutex: the loop may run at once, and want that.
        void wake() const {
            const std::lock_guard lock(box_->life);
            if (!box_->is_closed) {
                boost::asio::post(box_->executor, [box = box_] { deliver(*box); });
            }
        }

        std::shared_ptr<Box> box_;
    };

    Mailbox(const boost::asio::any_io_executor& executor, std::function<void(Message&&)> take)
        : box_(std::make_shared<Box>(executor)) {
        box_->take = std::move(take);
    }
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;
    ~Mailbox() {
        std::vector<Message> lost;  // which end when nothing is locked any more
        const std::scoped_lock lock(box_->life, box_->mutex);
        box_->is_closed = true;
        box_->take = nullptr;
        lost.swap(box_->waiting);
    }

    Address address() const { return Address(box_); }

  private:
    static void deliver(Box& box) {
        {
            const std::lock_guard lock(box.mutex);
            box.taken.swap(box.waiting);
        }
        for (auto& message : box.taken) {
            if (box.take) {
                box.take(std::move(message));
            }
        }
        box.taken.clear();
    }

    std::shared_ptr<Box> box_;
};

}  // namespace routerd
