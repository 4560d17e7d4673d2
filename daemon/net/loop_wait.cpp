#include "daemon/net/loop_wait.hpp"

#include <cassert>

#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/scheduler.hpp>
#include <boost/asio/io_context.hpp>

namespace routerd {
namespace {

using asio::detail::epoll_reactor;
using asio::detail::scheduler;
using asio::detail::scheduler_operation;
using asio::detail::scheduler_task;

/// Names a private member: an explicit instantiation may (C++20 [temp.spec.general] 6).
template <class Tag, typename Tag::Member Where>
struct Reach {
    friend typename Tag::Member reach(Tag /*which*/) noexcept { return Where; }
};

struct TaskOf {
    using Member = scheduler_task* scheduler::*;
    friend Member reach(TaskOf) noexcept;
};
template struct Reach<TaskOf, &scheduler::task_>;

struct SetOf {
    using Member = int epoll_reactor::*;
    friend Member reach(SetOf) noexcept;
};
template struct Reach<SetOf, &epoll_reactor::epoll_fd_>;

/// The waiter's turn, as an entry of the scheduler's queue.
class Turn final : public scheduler_operation {
  public:
    Turn(scheduler& queue, LoopWait::Waiter& waiter)
        : scheduler_operation(&Turn::complete_or_destroy), queue_(queue), waiter_(&waiter) {}

    void put_into(asio::detail::op_queue<scheduler_operation>& operations) {
        if (!is_queued_) {
            is_queued_ = true;
            operations.push(this);
        }
    }

    /// It is of no more use. A queue that still has it ends it when it is emptied.
    static void leave(Turn* turn) noexcept {
        turn->waiter_ = nullptr;
        if (!turn->is_queued_) {
            delete turn;
        }
    }

  private:
    static void complete_or_destroy(void* owner, scheduler_operation* operation,
                                    const boost::system::error_code& /*error*/,
                                    std::size_t /*bytes*/) {
        auto* const self = static_cast<Turn*>(operation);
        self->is_queued_ = false;
        if (owner != nullptr) {
            self->queue_.compensating_work_started();  // it counts as done work, and was none
        }
        if (self->waiter_ == nullptr) {
            delete self;
        } else if (owner != nullptr) {
            self->waiter_->take_turn();
        }
    }

    scheduler& queue_;
    LoopWait::Waiter* waiter_;
    bool is_queued_ = false;
};

}  // namespace

class LoopWait::Task final : private scheduler_task {
  public:
    Task(asio::execution_context& context, Waiter& waiter)
        : waiter_(waiter),
          scheduler_(asio::use_service<scheduler>(context)),
          reactor_(asio::use_service<epoll_reactor>(context)),
          turn_(new Turn(scheduler_, waiter)) {
        reactor_.init_task();
        assert(task() == &reactor_ && "one LoopWait a loop");
        task() = this;
    }

    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    virtual ~Task() {
        Turn::leave(turn_);
        task() = &reactor_;
    }

    int asio_set() const noexcept { return reactor_.*reach(SetOf{}); }

  private:
    scheduler_task*& task() noexcept { return scheduler_.*reach(TaskOf{}); }

    void run(long usec, asio::detail::op_queue<scheduler_operation>& operations) override {
        const int timeout = usec < 0 ? -1 : static_cast<int>((usec + 999) / 1000);
        const auto found = waiter_.wait(timeout);
        if (found.asio) {
            reactor_.run(0, operations);
        }
        if (found.own) {
            turn_->put_into(operations);
        }
    }

    void interrupt() override { reactor_.interrupt(); }

    Waiter& waiter_;
    scheduler& scheduler_;
    epoll_reactor& reactor_;
    Turn* turn_;  // its own when the queue has it, see leave()
};

LoopWait::LoopWait(const asio::any_io_executor& executor, Waiter& waiter)
    : task_(std::make_unique<Task>(asio::query(executor, asio::execution::context), waiter)) {}

LoopWait::~LoopWait() = default;

int LoopWait::asio_set() const noexcept {
    return task_->asio_set();
}

}  // namespace routerd
